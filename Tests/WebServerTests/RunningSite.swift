import Kernel
import Logging
import ServiceLifecycle
import Synchronization
import Web

@testable import WebServer

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A server on a free port, and what it said to its log.
struct RunningSite: Sendable {
  let port: Int
  let log: LogLines

  /// What an answer was, byte for byte.
  struct Answer: Sendable {
    var status: Int
    var headers: [(name: String, value: String)]
    var body: String

    subscript(_ name: String) -> String? { headers.first { $0.name == name }?.value }
    var cookies: [String] { headers.filter { $0.name == "set-cookie" }.map(\.value) }
    /// `name=value` of a cookie that was set.
    func cookie(_ name: String) -> String? {
      cookies.first { $0.hasPrefix(name + "=") }?.split(separator: ";").first.map(String.init)
    }
  }

  func get(_ path: String, _ headers: [(String, String)] = [], method: String = "GET") async throws -> Answer {
    try await send(method, path, headers, [])
  }

  func post(_ path: String, form: String, _ headers: [(String, String)] = []) async throws -> Answer {
    try await send(
      "POST", path, [("Content-Type", "application/x-www-form-urlencoded")] + headers, Array(form.utf8))
  }

  func send(_ method: String, _ path: String, _ headers: [(String, String)], _ body: [UInt8]) async throws -> Answer {
    var head = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n"
    for (name, value) in headers { head += "\(name): \(value)\r\n" }
    if !body.isEmpty { head += "Content-Length: \(body.count)\r\n" }
    return try await raw(Array((head + "\r\n").utf8) + body)
  }

  /// Sends bytes as they are and reads until the other side closes.
  func raw(_ bytes: [UInt8], seconds: Int = 10, at host: String = "127.0.0.1") async throws -> Answer {
    let port = port
    let received = await withCheckedContinuation { done in
      OwnThread.run { done.resume(returning: Self.exchange(bytes, host: host, port: port, seconds: seconds)) }
    }
    return Self.parse(received)
  }

  /// An IPv4 address of this machine that is not its loopback, where it has one.
  static var ownAddress: String? {
    var list: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&list) == 0 else { return nil }
    defer { freeifaddrs(list) }
    for entry in sequence(first: list, next: { $0?.pointee.ifa_next }).prefix(while: { $0 != nil }) {
      guard let address = entry?.pointee.ifa_addr, address.pointee.sa_family == sa_family_t(AF_INET) else { continue }
      var text = [CChar](repeating: 0, count: 64)
      let done = getnameinfo(
        address, socklen_t(MemoryLayout<sockaddr_in>.size), &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
      let found = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      if done == 0, !found.hasPrefix("127.") { return found }
    }
    return nil
  }

  private static func exchange(_ bytes: [UInt8], host: String, port: Int, seconds: Int) -> [UInt8] {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var limit = timeval(tv_sec: seconds, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr(host)
    let connected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard connected == 0 else { return [] }
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { break }
      sent += count
    }
    var received: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = recv(socket, &buffer, buffer.count, 0)
      guard count > 0 else { return received }
      received += buffer[..<count]
    }
  }

  private static func parse(_ bytes: [UInt8]) -> Answer {
    let text = String(decoding: bytes, as: UTF8.self)
    guard let end = text.firstRange(of: "\r\n\r\n") else { return Answer(status: 0, headers: [], body: text) }
    let lines = text[..<end.lowerBound].unicodeScalars.split(separator: "\n").map { String($0).filter { $0 != "\r" } }
    let status = Int(lines[0].split(separator: " ").dropFirst().first ?? "") ?? 0
    let headers = lines.dropFirst().compactMap { line -> (String, String)? in
      guard let colon = line.firstIndex(of: ":") else { return nil }
      return (line[..<colon].lowercased(), String(line[line.index(colon, offsetBy: 2)...]))
    }
    return Answer(status: status, headers: headers, body: String(text[end.upperBound...]))
  }
}

/// Runs a server for as long as `body` takes.
func withSite<T: Sendable>(
  _ routes: [Route] = SampleSite.routes, _ configuration: SiteServer.Configuration = .init(port: 0),
  _ body: (RunningSite) async throws -> T
) async throws -> T {
  let log = LogLines()
  var configuration = configuration
  let uploads = "/tmp/sanjiang-uploads-\(UInt64.random(in: .min ... .max))"
  if configuration.uploads == nil { configuration.uploads = uploads }
  // Answers are read to the line's end.
  configuration.lingering = .seconds(2)
  defer { rmdir(uploads) }
  let (ports, port) = AsyncStream.makeStream(of: Int.self)
  let server = SiteServer(
    routes: routes, sessions: SampleSite.sessions, configuration: configuration, clock: SampleSite.clock,
    logger: Logger(label: "test") { _ in log.handler }, ready: { port.yield($0) })
  return try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask {
      defer { port.finish() }
      try await server.run()
    }
    var first = ports.makeAsyncIterator()
    guard let number = await first.next() else {
      try await group.waitForAll()
      throw Stopped()
    }
    let site = RunningSite(port: number, log: log)
    do {
      let result = try await body(site)
      group.cancelAll()
      return result
    } catch {
      group.cancelAll()
      throw error
    }
  }
}

/// The server ended without an error before it listened.
struct Stopped: Error {}

/// What was logged, for looking into.
final class LogLines: Sendable {
  private let lines = Mutex<[String]>([])
  var all: [String] { lines.withLock { $0 } }
  func add(_ line: String) { lines.withLock { $0.append(line) } }
  var handler: any LogHandler { Handler(lines: self) }

  struct Handler: LogHandler {
    let lines: LogLines
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .info
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }
    func log(event: LogEvent) {
      lines.add("\(event.level) \(event.message) \(event.metadata ?? [:])")
    }
  }
}

enum OwnThread {
  /// Blocking calls stay off the pool that the server runs on.
  static func run(_ body: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    let box = Unmanaged.passRetained(Work(body))
    pthread_create(
      &thread, nil,
      {
        Unmanaged<Work>.fromOpaque($0!).takeRetainedValue().body(); return nil
      }, box.toOpaque())
    pthread_detach(thread)
  }

  private final class Work {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
}
