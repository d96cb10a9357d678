/// Between a sender of messages and its receiver: passes everything on, but for the messages that it was told to spoil.
package enum MessageProxy {
  package enum Trouble: String, Sendable, CaseIterable {
    /// The message arrives, its answer does not.
    case cutAfter
    /// The message does not arrive.
    case cutBefore
    /// Half of it arrives.
    case half
    case status500, status429, redirect
    /// Status 200, and what no receiver says: a sign-in page, a list, half an object, ten megabytes.
    case page, list, torn, huge
    /// The message arrives, and the answer has another digest or another count.
    case digest, rows
    /// Messages are not given back.
    case lost
    /// Messages are given back with another character in them.
    case altered
  }

  /// `which`: "3" is the third message, "*3" each third, "3+" the third and all behind it.
  package static func before(
    _ receiver: MessageReceiver, _ trouble: Trouble, _ which: String
  ) throws -> ScriptServer {
    try ScriptServer(script, ["\(receiver.port)", trouble.rawValue, which])
  }

  private static let script = """
    import http.client, http.server, json, socket
    upstream, mode, which = int(ARGS[0]), ARGS[1], ARGS[2]
    lock, count = threading.Lock(), 0
    class Proxy(http.server.BaseHTTPRequestHandler):
      protocol_version, wbufsize = "HTTP/1.1", 65536
      def log_message(self, *_): pass
      def cut(self):
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)
      def reply(self, status, body, **headers):
        self.send_response(status)
        for name, value in headers.items(): self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
      def passed(self, body, length=None):
        there = http.client.HTTPConnection("127.0.0.1", upstream, timeout=30)
        headers = {n: v for n, v in self.headers.items() if n.lower() not in ("host", "content-length", "accept-encoding")}
        if length is not None: headers["Content-Length"] = str(length)
        there.request(self.command, self.path, body, headers)
        if length is not None and length != len(body):
          there.close()
          return 0, b""
        answer = there.getresponse()
        said = answer.read()
        there.close()
        return answer.status, said
      def do_GET(self):
        try: status, said = self.passed(None)
        except OSError: return self.cut()
        if "/messages/" in self.path and mode == "lost": return self.reply(404, b"{}")
        if "/messages/" in self.path and mode == "altered": said = said.replace("青海1".encode(), "青海2".encode())
        self.reply(status, said)
      def do_POST(self):
        global count
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with lock:
          count += 1
          number = int(which.strip("*+"))
          hit = count % number == 0 if which[0] == "*" else count >= number if which[-1] == "+" else count == number
        if hit and mode == "cutBefore": return self.cut()
        if hit and mode == "status500": return self.reply(500, b"secret words of theirs")
        if hit and mode == "status429": return self.reply(429, b"", Retry_After="1")
        if hit and mode == "redirect": return self.reply(302, b"", Location="http://127.0.0.1:1/elsewhere")
        if hit and mode == "page": return self.reply(200, b"<html>secret words: sign in</html>", Content_Type="text/html")
        if hit and mode == "list": return self.reply(200, b"[1]")
        if hit and mode == "torn": return self.reply(200, b'{"number": 1, "rows"')
        if hit and mode == "huge": return self.reply(200, b" " * 10_000_000)
        try:
          if hit and mode == "half":
            self.passed(body[:len(body) // 2], len(body))
            return self.cut()
          status, said = self.passed(body, len(body))
        except OSError: return self.cut()
        if hit and mode == "cutAfter": return self.cut()
        if hit and mode == "digest": said = json.dumps({**json.loads(said), "sm3": "0" * 64}).encode()
        if hit and mode == "rows": said = json.dumps({**json.loads(said), "rows": 7_777}).encode()
        self.reply(status, said)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Proxy)
    server.daemon_threads = True
    server.serve_forever()
    """
}
