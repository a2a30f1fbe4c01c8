"""Receives webhooks and checks each with the library of Standard Webhooks.

The first line of standard input is the secret. A line of standard output names the port; then each request is a line.
Every further line of standard input says how the next requests are answered: a status, `hang`, `redirect`, `huge` or
`close`; without one they are taken with 200.
"""

import json
import queue
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

ways = queue.Queue()
lock = threading.Lock()
secret = sys.stdin.readline().strip()


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            Webhook(secret).verify(body, {name.lower(): value for name, value in self.headers.items()})
            verified = True
        except WebhookVerificationError as error:
            verified = str(error)
        way = "200" if ways.empty() else ways.get()
        event = json.loads(body)
        line = {"verified": verified, "id": self.headers["webhook-id"], "type": event["type"], "way": way}
        line |= {"position": event.get("position"), "event": event, "path": self.path}
        line["content_type"] = self.headers["content-type"]
        with lock:
            print(json.dumps(line), flush=True)
        if way == "hang":
            time.sleep(30)
        elif way == "close":
            self.close_connection = True
        elif way == "redirect":
            self.send_response(302)
            self.send_header("location", "/elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()
        elif way == "huge":
            self.send_response(500)
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for _ in range(1 << 30):
                self.wfile.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        else:
            answer = b'{"error":"token sk-ant-api03-' + b"A" * 93 + b'AA"}' if way != "200" else b""
            self.send_response(int(way))
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
with lock:
    print(json.dumps({"port": server.server_port}), flush=True)
for line in sys.stdin:
    ways.put(line.strip())
