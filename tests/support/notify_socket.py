"""Stands in for systemd: takes datagrams on a socket as sd_notify(3) sends them, and prints each as a
line of JSON with the time and the process that the kernel says it is from.

    notify_socket.py PATH|@NAME
"""

import json
import socket
import struct
import sys
import time

name = sys.argv[1]
taker = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
taker.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
taker.bind("\0" + name[1:] if name.startswith("@") else name)
print(json.dumps({"listening": name}), flush=True)
while True:
    data, ancillary, flags, _ = taker.recvmsg(4096, socket.CMSG_SPACE(12))
    pid, _, _ = struct.unpack("3i", ancillary[0][2])
    told = {"at": time.monotonic(), "pid": pid, "text": data.decode()}
    if flags & socket.MSG_TRUNC:
        told["text"] += " (cut)"
    print(json.dumps(told), flush=True)
