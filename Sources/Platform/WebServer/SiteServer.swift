import Hummingbird
import HummingbirdCore
import HummingbirdTLS
package import Kernel
package import Logging
import NIOCore
import NIOSSL
import ServiceLifecycle
package import Web

/// The web server: takes routes and answers them, with one door for who may come in and one for what may go out.
package struct SiteServer: Service {
  package struct Configuration: Sendable {
    package var host: String
    /// 0 takes any free port, told to `ready`.
    package var port: Int
    /// Paths of PEM files.
    package var tls: (certificate: String, key: String)?
    /// Addresses or blocks (`10.0.0.0/8`) whose `X-Forwarded-For` is believed.
    package var trustedProxies: [String]
    /// The name of this node: in the footer of every page unless it is the product's own, and in the OpenAPI document.
    package var title: Text
    /// 32 bytes that sign what the site gives out to visitors, the same in every process that serves one node; without
    /// them each process has its own, and forms die with it.
    package var secret: [UInt8]?
    /// The folder where files of forms lie until their request is answered, made when it is missing; without it no form
    /// brings files.
    package var uploads: String?
    /// What the bodies of requests may hold in memory; files of forms go to disk and hold nothing.
    package var largeBodies = LargeBodies()
    /// What a person should hear of an error that is no refusal; nil for a defect of ours, of which only a number is told.
    package var explain: @Sendable (any Error) -> Refusal? = { _ in nil }
    /// What a permission lets somebody do, in words; nil for one that is not known.
    package var words: @Sendable (Permission) -> Text? = { _ in nil }
    /// How long a request's head, and a silence inside its body, may take.
    package var idleTimeout: Duration = .seconds(30)
    /// How long a whole body may take.
    package var bodyTimeout: Duration = .seconds(300)
    /// How long what nobody will read is still taken from who was refused while sending. Browsers look at the answer when they
    /// have sent all, and on a line that is cut before many of them only say that it was cut.
    package var lingering: Duration = .seconds(60)

    /// Bodies of `from` bytes and more hold at most `together` bytes at the same time; who comes on top of that is asked to
    /// come again.
    package struct LargeBodies: Sendable {
      package var from = 1 << 20
      package var together = 128 << 20
    }

    package static let product = Text("三江", "Sanjiang")

    package init(
      host: String = "127.0.0.1", port: Int = 8080, tls: (certificate: String, key: String)? = nil,
      trustedProxies: [String] = [], title: Text = Self.product
    ) {
      self.host = host
      self.port = port
      self.tls = tls
      self.trustedProxies = trustedProxies
      self.title = title
    }
  }

  private let site: Site
  private let configuration: Configuration
  private let logger: Logger
  private let ready: @Sendable (Int) -> Void
  private let startFailure: Refusal?

  /// What is wrong with routes or configuration is told by `run`.
  package init(
    routes: [Route], sessions: SessionProvider, answers: AnswerKeeper = .none, configuration: Configuration,
    clock: Kernel.Clock, logger: Logger, ready: @escaping @Sendable (Int) -> Void = { _ in }
  ) {
    self.configuration = configuration
    self.logger = logger
    self.ready = ready
    do {
      try Self.check(configuration)
      site = try Site(
        routes: routes, sessions: sessions, answers: answers, configuration: configuration, clock: clock, logger: logger
      )
      startFailure = nil
    } catch {
      startFailure =
        error as? Refusal
        ?? Refusal(.invalid, "web.start", Text("无法启动：\(error)", "Cannot start: \(error)"))
      site = Site.closed(configuration: configuration, clock: clock, logger: logger)
    }
  }

  /// Throws what is wrong with routes, configuration or certificate. Who runs other services beside this one asks before
  /// any of them is started: ending those again would only bury the reason.
  package func validate() throws {
    if let startFailure { throw startFailure }
    if let tls = configuration.tls { _ = try Self.secured(.http1(), tls) }
  }

  package func run() async throws {
    if let startFailure { throw startFailure }
    site.uploads?.sweep()
    let plain = HTTPServerBuilder.http1(
      configuration: .init(
        idleTimeout: .nanoseconds(configuration.idleTimeout.inMilliseconds * 1_000_000),
        httpDecoderConfiguration: .init(
          maxHeaderFieldSize: 16 * 1024, maxHeaderListSize: 32 * 1024, maxHeaderFieldCount: 100)))
    let builder = if let tls = configuration.tls { try Self.secured(plain, tls) } else { plain }
    let ready = ready
    var quiet = logger
    quiet.logLevel = max(logger.logLevel, .warning)
    let application = Application(
      responder: site, server: builder,
      configuration: ApplicationConfiguration(
        address: .hostname(configuration.host, port: configuration.port), serverName: nil,
        availableConnectionsDelegate: MaximumAvailableConnections(4000)),
      onServerRunning: { channel in ready(channel.localAddress?.port ?? 0) }, logger: quiet)
    do {
      try await application.run()
    } catch let error as IOError {
      throw Refusal(
        .unavailable, "web.listen",
        Text(
          "无法在 \(configuration.host):\(configuration.port) 上监听：\(error)",
          "Cannot listen on \(configuration.host):\(configuration.port): \(error)"))
    }
  }

  /// Passwords and session cookies never cross a network in the clear.
  private static func check(_ configuration: Configuration) throws {
    guard (0...65535).contains(configuration.port) else {
      throw Refusal.invalid("web.port", "port", Text("端口应在 0 至 65535 之间。", "The port must lie between 0 and 65535."))
    }
    guard configuration.tls == nil, configuration.trustedProxies.isEmpty, !isLoopback(configuration.host) else {
      return
    }
    throw Refusal(
      .invalid, "web.plain-http",
      Text(
        "除本机地址外不提供明文 HTTP：请用 --tls-cert 和 --tls-key 提供证书，或者用 --trusted-proxy 声明前置代理。",
        "Plain HTTP is served on loopback only: give a certificate with --tls-cert and --tls-key, or declare the proxy in front with --trusted-proxy."
      ))
  }

  static func isLoopback(_ host: String) -> Bool {
    host == "localhost" || host == "::1" || AddressBlock("127.0.0.0/8")!.contains(host)
  }

  private static func secured(_ plain: HTTPServerBuilder, _ tls: (certificate: String, key: String)) throws
    -> HTTPServerBuilder
  {
    do {
      var settings = TLSConfiguration.makeServerConfiguration(
        certificateChain: try NIOSSLCertificate.fromPEMFile(tls.certificate).map { .certificate($0) },
        privateKey: .privateKey(try NIOSSLPrivateKey(file: tls.key, format: .pem)))
      settings.minimumTLSVersion = .tlsv12
      return try .tls(plain, tlsConfiguration: settings)
    } catch {
      throw Refusal(
        .invalid, "web.tls",
        Text(
          "无法使用证书 \(tls.certificate) 和私钥 \(tls.key)：\(error)",
          "Cannot use the certificate \(tls.certificate) with the key \(tls.key): \(error)"))
    }
  }
}

/// Who stands behind a session cookie or an application token: declared here, filled in by App from Identity.
package struct SessionProvider: Sendable {
  /// `isPolling`: a page asks by itself, which must not keep a session alive.
  package var resolve: @Sendable (_ token: String, _ isPolling: Bool) async throws -> SessionInfo?
  /// Who a program acts for with this token, sent from that address; refuses with `.unauthenticated` when it is worth nothing.
  package var bearer: @Sendable (_ token: String, _ source: String) async throws -> Principal

  /// Keeps a form for the person in whose session it was written, and answers where it waits for him; nil where its token was
  /// no session's, or not of the person who is signed in now.
  package var keep: @Sendable (_ form: LateForm, _ person: PersonID?) async throws -> String?
  /// Forgets a form that was kept, which this person has sent again: it was done.
  package var sent: @Sendable (_ kept: String, _ person: PersonID) async throws -> Void

  package init(
    bearer: @escaping @Sendable (_ token: String, _ source: String) async throws -> Principal = Self.noTokens,
    keep: @escaping @Sendable (_ form: LateForm, _ person: PersonID?) async throws -> String? = { _, _ in nil },
    sent: @escaping @Sendable (_ kept: String, _ person: PersonID) async throws -> Void = { _, _ in },
    resolve: @escaping @Sendable (_ token: String, _ isPolling: Bool) async throws -> SessionInfo?
  ) {
    self.resolve = resolve
    self.bearer = bearer
    self.keep = keep
    self.sent = sent
  }

  /// Where no program has a token.
  package static let noTokens: @Sendable (String, String) async throws -> Principal = { _, _ in
    throw Refusal(.unauthenticated, "unauthenticated", Text("请先登录。", "Please sign in first."))
  }
}

package struct SessionInfo: Sendable {
  /// Nil while the session is not complete: a second factor or a new password is still asked for.
  package var principal: Principal?
  package var view: SessionView

  package init(principal: Principal?, view: SessionView) {
    self.principal = principal
    self.view = view
  }
}
