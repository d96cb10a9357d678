internal import AsyncHTTPClient
internal import Connecting
internal import Kernel
internal import NIOCore
internal import NIOHTTP1
package import NIOSSL
internal import Synchronization

/// What a service answered.
package struct ServiceAnswer: Hashable, Sendable {
  package var status: Int
  /// The media type in small letters, without parameters; empty where none was given.
  package var type: String
  /// At most `ServiceClient.Limits.body` bytes.
  package var body: [UInt8]
  /// False where there was more than was read.
  package var isWhole: Bool
}

/// Asks services of departments whether they answer, so that nobody can have the node ask anything else: by GET, of
/// declared hosts only, at addresses that were looked at, without following redirects, without credentials, without a
/// proxy, and with bounds on time and size.
package struct ServiceClient: Sendable {
  package struct Limits: Sendable {
    /// Until a connection stands.
    package var connect: Duration = .seconds(5)
    /// From the name's look-up to the end of the answer.
    package var whole: Duration = .seconds(15)
    /// Bytes of the body that are read; what follows is left.
    package var body = 64 << 10

    package init() {}
  }

  package var hosts: [DeclaredHost]
  package var limits: Limits
  /// Whose certificates are believed; nil for the machine's own store.
  package var roots: NIOSSLTrustRoots?
  /// What a name resolves to now; blocks.
  package var resolve: @Sendable (_ name: String) -> [NetworkAddress]

  package init(
    hosts: [DeclaredHost], limits: Limits = Limits(), roots: NIOSSLTrustRoots? = nil,
    resolve: @escaping @Sendable (_ name: String) -> [NetworkAddress] = { NetworkAddress.resolve($0) }
  ) {
    self.hosts = hosts
    self.limits = limits
    self.roots = roots
    self.resolve = resolve
  }

  /// The address, where it may be asked at all: correct, and of a declared host. Throws `.invalid` or `.forbidden`.
  @discardableResult
  package func admit(_ url: String) throws -> ServiceAddress {
    let address = try ServiceAddress(url)
    guard hosts.contains(where: { $0.admits(address) }) else {
      throw Refusal(
        .forbidden, "api.host",
        Text(
          "本节点没有声明可以访问的接口主机 \(address.host):\(address.port)，请联系平台运维人员在 api-hosts 中声明。",
          "This node does not declare \(address.host):\(address.port) as a host whose services may be asked; the operator declares it in api-hosts."
        ))
    }
    return address
  }

  /// Asks once. Throws a refusal that says why there was no answer.
  package func get(_ url: String) async throws -> ServiceAnswer {
    let address = try admit(url)
    let course = Course()
    return try await within(limits.whole) {
      let found = try await addresses(of: address)
      course.stage = .connecting
      return try await ask(address, at: found, course)
    } late: {
      course.late(after: limits.whole)
    }
  }

  /// How far one asking has come.
  private final class Course: Sendable {
    enum Stage { case resolving, connecting, answering }

    private let kept = Mutex(Stage.resolving)
    var stage: Stage {
      get { kept.withLock { $0 } }
      set { kept.withLock { $0 = newValue } }
    }

    func late(after limit: Duration) -> Refusal {
      let seconds = max(1, limit.components.seconds)
      return switch stage {
      case .resolving:
        Refusal(
          .unavailable, "api.name",
          Text("\(seconds) 秒内没有查到主机的地址。", "The host's address was not found within \(seconds) s."))
      case .connecting:
        Refusal(
          .unavailable, "api.connect",
          Text("\(seconds) 秒内没有连上主机。", "There was no connection within \(seconds) s."))
      case .answering:
        Refusal(
          .unavailable, "api.timeout",
          Text("已连上，但 \(seconds) 秒内没有答完。", "It was reached, but did not answer within \(seconds) s."))
      }
    }
  }

  // MARK: Where it is

  /// The addresses to ask at, each of them looked at. A name one of whose addresses is none of a host is not asked at all.
  private func addresses(of address: ServiceAddress) async throws -> [NetworkAddress] {
    // Declared as an address: whoever keeps the node chose this very one.
    if let literal = NetworkAddress(literal: address.host) { return [literal] }
    let (resolve, host) = (resolve, address.host)
    // The resolver blocks and cannot be stopped: who waits for it can leave.
    let found = try await BlockingThread.run(within: limits.whole) { resolve(host) } ?? []
    try Task.checkCancellation()
    guard !found.isEmpty else {
      throw Refusal(
        .unavailable, "api.name", Text("查不到主机 \(address.host) 的地址。", "The host \(address.host) has no address."))
    }
    for one in found {
      guard let purpose = one.purpose else { continue }
      throw Refusal(
        .forbidden, "api.address-refused",
        Text(
          "主机 \(address.host) 的地址 \(one.text) 是\(purpose.chinese)，不予访问。",
          "The host \(address.host) leads to \(one.text), which is \(purpose.english): it is not asked."))
    }
    return found
  }

  // MARK: Asking

  /// Of a host with several addresses so many are tried.
  private static let tries = 3

  private func ask(
    _ address: ServiceAddress, at found: [NetworkAddress], _ course: Course
  ) async throws -> ServiceAnswer {
    var left = found.prefix(Self.tries)
    while true {
      do {
        return try await ask(address, at: left.removeFirst(), course)
      } catch let refusal as Refusal where refusal.code == "api.connect" && !left.isEmpty {
        continue
      }
    }
  }

  private func ask(
    _ address: ServiceAddress, at one: NetworkAddress, _ course: Course
  ) async throws -> ServiceAnswer {
    var request = HTTPClientRequest(url: address.text)
    request.headers = [
      "Host": address.authority, "User-Agent": "sanjiang", "Accept": "application/json, */*;q=0.5",
      "Connection": "close",
    ]
    do {
      return try await HTTPClient.withHTTPClient(configuration: configuration(address, at: one, course)) { client in
        let response = try await client.execute(request, deadline: .now() + .init(limits.whole))
        let (body, isWhole) = try await read(response.body)
        return ServiceAnswer(
          status: Int(response.status.code), type: Self.type(response.headers), body: body, isWhole: isWhole)
      }
    } catch {
      try Task.checkCancellation()
      throw refusal(for: error, wasReached: course.stage == .answering)
    }
  }

  private func configuration(
    _ address: ServiceAddress, at one: NetworkAddress, _ course: Course
  ) -> HTTPClient.Configuration {
    var tls = TLSConfiguration.makeClientConfiguration()
    if let roots { tls.trustRoots = roots }
    var configuration = HTTPClient.Configuration(
      tlsConfiguration: tls, redirectConfiguration: .disallow, timeout: .init(connect: .init(limits.connect)),
      proxy: nil, decompression: .disabled)
    // The name was looked up and its address looked at: it must not be looked up once more by somebody else.
    configuration.dnsOverride = [address.host: one.text]
    configuration.httpVersion = .http1Only
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.http1_1ConnectionDebugInitializer = { channel in
      course.stage = .answering
      return channel.eventLoop.makeSucceededVoidFuture()
    }
    return configuration
  }

  private func read(_ body: HTTPClientResponse.Body) async throws -> (bytes: [UInt8], isWhole: Bool) {
    var bytes: [UInt8] = []
    for try await part in body {
      let room = limits.body - bytes.count
      bytes += part.readableBytesView.prefix(room)
      if part.readableBytes > room { return (bytes, false) }
    }
    return (bytes, true)
  }

  private static func type(_ headers: HTTPHeaders) -> String {
    let whole = headers.first(name: "Content-Type") ?? ""
    return whole.prefix { $0 != ";" }.filter { !$0.isWhitespace }.lowercased()
  }

  // MARK: Time

  /// Runs `body`, but no longer than `limit`; then it is cancelled and `late` says why.
  private func within<T: Sendable>(
    _ limit: Duration, _ body: @escaping @Sendable () async throws -> T, late: @escaping @Sendable () -> Refusal
  ) async throws -> T {
    try await withThrowingTaskGroup(of: T?.self) { group in
      group.addTask { try await body() }
      group.addTask {
        try await Task.sleep(for: limit)
        return nil
      }
      defer { group.cancelAll() }
      guard let value = try await group.next() ?? nil else { throw late() }
      return value
    }
  }
}

extension ServiceClient {
  /// What went wrong, as far as it can be told from outside. Never repeats what the other side said.
  private func refusal(for error: any Error, wasReached: Bool) -> Refusal {
    switch error {
    case let refusal as Refusal: refusal
    case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError: Self.untrusted
    case let error as HTTPClientError:
      switch error {
      case .connectTimeout:
        Refusal(
          .unavailable, "api.connect",
          Text(
            "\(limits.connect.components.seconds) 秒内没有连上主机。",
            "There was no connection within \(limits.connect.components.seconds) s."))
      case .tlsHandshakeTimeout: Self.untrusted
      case .deadlineExceeded:
        Refusal(.unavailable, "api.timeout", Text("已连上，但没有按时答完。", "It was reached, but did not answer in time."))
      default: Self.broken(wasReached)
      }
    case is IOError, is ChannelError: Self.broken(wasReached)
    case let error as HTTPParserError where error == .invalidEOFState: Self.broken(wasReached)
    default:
      Refusal(.unavailable, "api.protocol", Text("应答不是正确的 HTTP。", "The answer is no correct HTTP."))
    }
  }

  private static let untrusted = Refusal(
    .unavailable, "api.tls",
    Text(
      "TLS 连接没有建立：证书不受信任、已过期或与主机名不符，或对方不使用 TLS。",
      "TLS was not established: its certificate is not trusted, has run out or is another host's, or it speaks no TLS.")
  )

  private static func broken(_ wasReached: Bool) -> Refusal {
    wasReached
      ? Refusal(
        .unavailable, "api.cut", Text("对方没有答完就断开了连接。", "It closed the connection before the answer was whole."))
      : Refusal(
        .unavailable, "api.connect",
        Text(
          "连不上主机：没有服务在听，或网络不通。", "The host cannot be reached: nothing listens there, or no network leads there."))
  }
}

extension TimeAmount {
  init(_ duration: Duration) {
    self = .nanoseconds(duration.components.seconds * 1_000_000_000 + duration.components.attoseconds / 1_000_000_000)
  }
}
