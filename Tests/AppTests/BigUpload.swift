import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// A request with a body of any size, sent piece by piece over a socket of its own as browsers do: all of it, and only then
/// is the answer looked at.
struct BigUpload {
  var port: Int
  var path: String
  var headers: [(String, String)]
  /// What comes before the filling and after it.
  var opening: [UInt8] = []
  var closing: [UInt8] = []
  /// Bytes between them.
  var filling: Int
  /// With its length, or in chunks of which nobody knows how many follow.
  var isDeclared = true
  /// Seconds of silence when half of the filling is sent.
  var pause: UInt32 = 0

  /// A form of the import page with a file of so many bytes.
  static func workbook(_ visitor: Visitor, bytes: Int, isDeclared: Bool = true) async throws -> BigUpload {
    let token = Visitor.token(in: try await visitor.get("/catalog/import").text) ?? ""
    let head =
      "--xyz\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n\(token)\r\n"
      + "--xyz\r\nContent-Disposition: form-data; name=\"workbook\"; filename=\"a.xlsx\"\r\n\r\n"
    return BigUpload(
      port: URL(string: visitor.base)!.port!, path: "/catalog/import",
      headers: [
        ("Content-Type", "multipart/form-data; boundary=xyz"), ("Cookie", visitor.cookieHeader),
        ("Origin", visitor.base), ("Accept-Language", "zh-CN"),
      ], opening: Array(head.utf8), closing: Array("\r\n--xyz--\r\n".utf8), filling: bytes, isDeclared: isDeclared)
  }

  /// The answer as it came, empty when the line was cut before. Blocks.
  func send() -> String {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var limit = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let connected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard connected == 0 else { return "" }
    let length = opening.count + filling + closing.count
    var head = "POST \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n"
    for (name, value) in headers { head += "\(name): \(value)\r\n" }
    head += isDeclared ? "Content-Length: \(length)\r\n\r\n" : "Transfer-Encoding: chunked\r\n\r\n"
    var goesOn = write(Array(head.utf8), to: socket) && write(chunk(opening), to: socket)
    let piece = chunk([UInt8](repeating: 0x5A, count: 1 << 20))
    for number in 0..<filling >> 20 where goesOn {
      if number == filling >> 21, pause > 0 { sleep(pause) }
      goesOn = write(piece, to: socket)
    }
    if goesOn, filling % (1 << 20) > 0 {
      goesOn = write(chunk([UInt8](repeating: 0x5A, count: filling % (1 << 20))), to: socket)
    }
    if goesOn { goesOn = write(chunk(closing), to: socket) }
    if goesOn, !isDeclared { _ = write(Array("0\r\n\r\n".utf8), to: socket) }
    var received: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = recv(socket, &buffer, buffer.count, 0)
      guard count > 0 else { return String(decoding: received, as: UTF8.self) }
      received += buffer[..<count]
    }
  }

  private func chunk(_ bytes: [UInt8]) -> [UInt8] {
    if isDeclared || bytes.isEmpty { return bytes }
    return Array("\(String(bytes.count, radix: 16))\r\n".utf8) + bytes + [13, 10]
  }

  private func write(_ bytes: [UInt8], to socket: Int32) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }
}
