;; The inner loops of forward-syslog over bytes of one memory. `deno task kernel`
;; makes kernel.wasm of it; kernel.ts says what each function promises.
(module
  ;; 64 MiB, of which only what is touched becomes resident. It never grows: that would detach the
  ;; arrays that stand on it.
  (memory (export "memory") 1024 1024)

  ;; Position of the first LF or NUL in [at, end), or end. Reads up to 15 bytes behind the end.
  (func (export "findTerminator") (param $at i32) (param $end i32) (result i32)
    (local $bytes v128)
    (local $found i32)
    (block $none
      (loop $next
        (br_if $none (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $bytes (v128.load align=1 (local.get $at)))
        (local.set $found
          (i8x16.bitmask
            (v128.or
              (i8x16.eq (local.get $bytes) (v128.const i32x4 0x0a0a0a0a 0x0a0a0a0a 0x0a0a0a0a 0x0a0a0a0a))
              (i8x16.eq (local.get $bytes) (v128.const i32x4 0 0 0 0)))))
        (if (local.get $found)
          (then
            (local.set $at (i32.add (local.get $at) (i32.ctz (local.get $found))))
            (return
              (select (local.get $at) (local.get $end)
                (i32.lt_u (local.get $at) (local.get $end))))))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br $next)))
    (local.get $end))

  ;; Copies bytes from [from, end) to `to` as long as they may stand in a JSON string as they are:
  ;; ASCII from the blank on, no quote, no backslash. Returns how many. Reads up to 15 bytes behind
  ;; the end and writes up to 16 behind those that count.
  (func (export "copyPlain") (param $from i32) (param $end i32) (param $to i32) (result i32)
    (local $begin i32)
    (local $bytes v128)
    (local $special i32)
    (local.set $begin (local.get $from))
    (block $all
      (loop $next
        (br_if $all (i32.ge_u (local.get $from) (local.get $end)))
        (local.set $bytes (v128.load align=1 (local.get $from)))
        (v128.store align=1 (local.get $to) (local.get $bytes))
        (local.set $special
          (i8x16.bitmask
            (v128.or
              ;; Signed: bytes over 127 are negative, so they are under the blank too.
              (i8x16.lt_s (local.get $bytes) (v128.const i32x4 0x20202020 0x20202020 0x20202020 0x20202020))
              (v128.or
                (i8x16.eq (local.get $bytes) (v128.const i32x4 0x22222222 0x22222222 0x22222222 0x22222222))
                (i8x16.eq (local.get $bytes) (v128.const i32x4 0x5c5c5c5c 0x5c5c5c5c 0x5c5c5c5c 0x5c5c5c5c))))))
        (if (local.get $special)
          (then
            (local.set $from (i32.add (local.get $from) (i32.ctz (local.get $special))))
            (return
              (i32.sub
                (select (local.get $from) (local.get $end)
                  (i32.lt_u (local.get $from) (local.get $end)))
                (local.get $begin)))))
        (local.set $from (i32.add (local.get $from) (i32.const 16)))
        (local.set $to (i32.add (local.get $to) (i32.const 16)))
        (br $next)))
    (i32.sub (local.get $end) (local.get $begin)))

  ;; The CRC after 2,048 zero bytes, the length of a lane. Its four tables stand at 8192.
  (func $skip (param $crc i32) (result i32)
    (i32.xor
      (i32.xor
        (i32.load offset=8192 (i32.and (i32.shl (local.get $crc) (i32.const 2)) (i32.const 0x3fc)))
        (i32.load offset=9216 (i32.and (i32.shr_u (local.get $crc) (i32.const 6)) (i32.const 0x3fc))))
      (i32.xor
        (i32.load offset=10240 (i32.and (i32.shr_u (local.get $crc) (i32.const 14)) (i32.const 0x3fc)))
        (i32.load offset=11264 (i32.and (i32.shr_u (local.get $crc) (i32.const 22)) (i32.const 0x3fc))))))

  ;; CRC-32C of [at, end) on top of `crc`, not inverted: slicing by 8 with the eight tables at 0.
  ;; Three lanes of 2,048 bytes go side by side, for in one lane each step waits for the one before;
  ;; $skip puts their CRCs together. The step stands here four times: as a function of its own it is
  ;; not inlined, which takes 40 % of the speed.
  (func (export "crc32c") (param $crc i32) (param $at i32) (param $end i32) (result i32)
    (local $second i32)
    (local $third i32)
    (local $stop i32)
    (local $low i32)
    (local $high i32)
    (block $short
      (loop $lanes
        (br_if $short (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 6144)))
        (local.set $second (i32.const 0))
        (local.set $third (i32.const 0))
        (local.set $stop (i32.add (local.get $at) (i32.const 2048)))
        (loop $step
          (local.set $low (i32.xor (local.get $crc) (i32.load align=1 (local.get $at))))
          (local.set $high (i32.load offset=4 align=1 (local.get $at)))
          (local.set $crc
            (i32.xor
              (i32.xor
                (i32.xor
                  (i32.load offset=7168 (i32.and (i32.shl (local.get $low) (i32.const 2)) (i32.const 0x3fc)))
                  (i32.load offset=6144 (i32.and (i32.shr_u (local.get $low) (i32.const 6)) (i32.const 0x3fc))))
                (i32.xor
                  (i32.load offset=5120 (i32.and (i32.shr_u (local.get $low) (i32.const 14)) (i32.const 0x3fc)))
                  (i32.load offset=4096 (i32.and (i32.shr_u (local.get $low) (i32.const 22)) (i32.const 0x3fc)))))
              (i32.xor
                (i32.xor
                  (i32.load offset=3072 (i32.and (i32.shl (local.get $high) (i32.const 2)) (i32.const 0x3fc)))
                  (i32.load offset=2048 (i32.and (i32.shr_u (local.get $high) (i32.const 6)) (i32.const 0x3fc))))
                (i32.xor
                  (i32.load offset=1024 (i32.and (i32.shr_u (local.get $high) (i32.const 14)) (i32.const 0x3fc)))
                  (i32.load (i32.and (i32.shr_u (local.get $high) (i32.const 22)) (i32.const 0x3fc)))))))
          (local.set $low (i32.xor (local.get $second) (i32.load offset=2048 align=1 (local.get $at))))
          (local.set $high (i32.load offset=2052 align=1 (local.get $at)))
          (local.set $second
            (i32.xor
              (i32.xor
                (i32.xor
                  (i32.load offset=7168 (i32.and (i32.shl (local.get $low) (i32.const 2)) (i32.const 0x3fc)))
                  (i32.load offset=6144 (i32.and (i32.shr_u (local.get $low) (i32.const 6)) (i32.const 0x3fc))))
                (i32.xor
                  (i32.load offset=5120 (i32.and (i32.shr_u (local.get $low) (i32.const 14)) (i32.const 0x3fc)))
                  (i32.load offset=4096 (i32.and (i32.shr_u (local.get $low) (i32.const 22)) (i32.const 0x3fc)))))
              (i32.xor
                (i32.xor
                  (i32.load offset=3072 (i32.and (i32.shl (local.get $high) (i32.const 2)) (i32.const 0x3fc)))
                  (i32.load offset=2048 (i32.and (i32.shr_u (local.get $high) (i32.const 6)) (i32.const 0x3fc))))
                (i32.xor
                  (i32.load offset=1024 (i32.and (i32.shr_u (local.get $high) (i32.const 14)) (i32.const 0x3fc)))
                  (i32.load (i32.and (i32.shr_u (local.get $high) (i32.const 22)) (i32.const 0x3fc)))))))
          (local.set $low (i32.xor (local.get $third) (i32.load offset=4096 align=1 (local.get $at))))
          (local.set $high (i32.load offset=4100 align=1 (local.get $at)))
          (local.set $third
            (i32.xor
              (i32.xor
                (i32.xor
                  (i32.load offset=7168 (i32.and (i32.shl (local.get $low) (i32.const 2)) (i32.const 0x3fc)))
                  (i32.load offset=6144 (i32.and (i32.shr_u (local.get $low) (i32.const 6)) (i32.const 0x3fc))))
                (i32.xor
                  (i32.load offset=5120 (i32.and (i32.shr_u (local.get $low) (i32.const 14)) (i32.const 0x3fc)))
                  (i32.load offset=4096 (i32.and (i32.shr_u (local.get $low) (i32.const 22)) (i32.const 0x3fc)))))
              (i32.xor
                (i32.xor
                  (i32.load offset=3072 (i32.and (i32.shl (local.get $high) (i32.const 2)) (i32.const 0x3fc)))
                  (i32.load offset=2048 (i32.and (i32.shr_u (local.get $high) (i32.const 6)) (i32.const 0x3fc))))
                (i32.xor
                  (i32.load offset=1024 (i32.and (i32.shr_u (local.get $high) (i32.const 14)) (i32.const 0x3fc)))
                  (i32.load (i32.and (i32.shr_u (local.get $high) (i32.const 22)) (i32.const 0x3fc)))))))
          (local.set $at (i32.add (local.get $at) (i32.const 8)))
          (br_if $step (i32.lt_u (local.get $at) (local.get $stop))))
        (local.set $at (i32.add (local.get $at) (i32.const 4096)))
        (local.set $crc
          (i32.xor
            (call $skip (i32.xor (call $skip (local.get $crc)) (local.get $second)))
            (local.get $third)))
        (br $lanes)))
    (block $few
      (loop $eight
        (br_if $few (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 8)))
        (local.set $low (i32.xor (local.get $crc) (i32.load align=1 (local.get $at))))
        (local.set $high (i32.load offset=4 align=1 (local.get $at)))
        (local.set $crc
          (i32.xor
            (i32.xor
              (i32.xor
                (i32.load offset=7168 (i32.and (i32.shl (local.get $low) (i32.const 2)) (i32.const 0x3fc)))
                (i32.load offset=6144 (i32.and (i32.shr_u (local.get $low) (i32.const 6)) (i32.const 0x3fc))))
              (i32.xor
                (i32.load offset=5120 (i32.and (i32.shr_u (local.get $low) (i32.const 14)) (i32.const 0x3fc)))
                (i32.load offset=4096 (i32.and (i32.shr_u (local.get $low) (i32.const 22)) (i32.const 0x3fc)))))
            (i32.xor
              (i32.xor
                (i32.load offset=3072 (i32.and (i32.shl (local.get $high) (i32.const 2)) (i32.const 0x3fc)))
                (i32.load offset=2048 (i32.and (i32.shr_u (local.get $high) (i32.const 6)) (i32.const 0x3fc))))
              (i32.xor
                (i32.load offset=1024 (i32.and (i32.shr_u (local.get $high) (i32.const 14)) (i32.const 0x3fc)))
                (i32.load (i32.and (i32.shr_u (local.get $high) (i32.const 22)) (i32.const 0x3fc)))))))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br $eight)))
    (block $done
      (loop $one
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $crc
          (i32.xor
            (i32.load
              (i32.shl
                (i32.and (i32.xor (local.get $crc) (i32.load8_u (local.get $at))) (i32.const 255))
                (i32.const 2)))
            (i32.shr_u (local.get $crc) (i32.const 8))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $one)))
    (local.get $crc))
)
