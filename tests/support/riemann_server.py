"""Takes events as Riemann does, on TCP and UDP of one port, and prints each as a line of JSON.

It reads the wire format of Protocol Buffers by itself, from its description and the numbers of
riemann.proto: nothing of it comes from sluice or its libraries.

    riemann_server.py PORT [refuse]

With `refuse` it answers that it does not want the events.
"""

import json
import socket
import socketserver
import struct
import sys
import threading


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at
        if shift > 63:
            raise ValueError("a varint of more than ten bytes")


def fields(data):
    """Yields number and value of each field; ints for varints, bytes for the rest."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 1:
            value, at = data[at : at + 8], at + 8
        elif kind == 2:
            length, at = varint(data, at)
            value, at = data[at : at + length], at + length
        elif kind == 5:
            value, at = data[at : at + 4], at + 4
        else:
            raise ValueError(f"wire type {kind}")
        if at > len(data):
            raise ValueError("a field that ends behind its message")
        yield number, value


def signed(value):
    return value - (1 << 64) if value >= 1 << 63 else value


def zigzag(value):
    return (value >> 1) ^ -(value & 1)


def text(value):
    return value.decode("utf-8", "strict")


def attribute(data):
    found = dict(fields(data))
    return text(found[1]), text(found.get(2, b""))


READERS = {
    1: ("time", signed),
    2: ("state", text),
    3: ("service", text),
    4: ("host", text),
    5: ("description", text),
    8: ("ttl", lambda raw: struct.unpack("<f", raw)[0]),
    10: ("time_micros", signed),
    13: ("metric_sint64", zigzag),
    14: ("metric_d", lambda raw: struct.unpack("<d", raw)[0]),
    15: ("metric_f", lambda raw: struct.unpack("<f", raw)[0]),
}


def event(data):
    found = {"tags": [], "attributes": {}}
    for number, value in fields(data):
        if number == 7:
            found["tags"].append(text(value))
        elif number == 9:
            key, one = attribute(value)
            found["attributes"][key] = one
        else:
            name, read = READERS[number]
            found[name] = read(value)
    return found


lock = threading.Lock()


def take(message, how):
    events = []
    for number, value in fields(message):
        if number != 6:
            raise ValueError(f"field {number} in a message of events")
        events.append(event(value))
    with lock:
        for one in events:
            print(json.dumps({"by": how, "bytes": len(message), **one}), flush=True)


class Tcp(socketserver.StreamRequestHandler):
    def handle(self):
        try:
            self.converse()
        except ConnectionError:
            pass  # It has waited long enough for us, and gone.

    def converse(self):
        while len(head := self.rfile.read(4)) == 4:
            (length,) = struct.unpack(">I", head)
            message = self.rfile.read(length)
            if len(message) < length:
                return
            if refuses:
                answer = b"\x10\x00\x1a\x0cnot \x1b[31mnow!"
            else:
                take(message, "tcp")
                answer = b"\x10\x01"
            self.wfile.write(struct.pack(">I", len(answer)) + answer)


class Udp(socketserver.BaseRequestHandler):
    def handle(self):
        take(self.request[0], "udp")


class TcpServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


port = int(sys.argv[1])
refuses = sys.argv[2:] == ["refuse"]
udp = socketserver.UDPServer(("127.0.0.1", port), Udp)
udp.max_packet_size = 16384
# Nothing is to be lost while we have no processor.
udp.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
threading.Thread(target=udp.serve_forever, daemon=True).start()
with TcpServer(("127.0.0.1", port), Tcp) as tcp:
    print(json.dumps({"listening": port}), flush=True)
    tcp.serve_forever()
