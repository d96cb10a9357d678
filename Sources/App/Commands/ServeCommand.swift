import ArgumentParser
import Catalog
import Foundation
import Kernel
import Logging
import ServiceLifecycle
import Storage
import UnixSignals
import WebServer

struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Run the site, the worker and the log's sequencer.")

  @OptionGroup var options: NodeOptions
  @Option(help: "The address to listen on; plain HTTP on a loopback address only.") var host: String?
  @Option(help: "The port; 0 takes a free one.") var port: String?
  @Option(help: "The certificate chain, PEM.") var tlsCert: String?
  @Option(help: "The certificate's key, PEM.") var tlsKey: String?
  @Option(help: "Addresses of reverse proxies that may be believed, by commas.") var trustedProxy: String?

  func run() async throws {
    let settings = try options.settings([
      "host": host, "port": port, "tls-cert": tlsCert, "tls-key": tlsKey, "trusted-proxy": trustedProxy,
    ])
    try await Self.serve(try await Node.open(settings))
  }

  /// How many sources one process follows as they change; each takes two threads and three connections.
  static let followers = 16

  static func serve(_ node: Node) async throws {
    let logger = Logger(label: "sanjiang")
    let site = node.site(ready: announce)
    try site.validate()
    let group = ServiceGroup(
      configuration: .init(
        services: [
          .init(service: node.sequencer), .init(service: node.runner()),
          .init(service: node.runner(.following, concurrency: followers)), .init(service: site),
          .init(service: SearchWarming(cataloguing: node.cataloguing)),
        ],
        gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
    try await group.run()
    await node.database.close()
  }

  private static let announce: @Sendable (Int) -> Void = { port in Terminal.error("ready \(port)") }
}

struct WorkerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker", abstract: "Run deliveries only, beside another machine's site.")

  @OptionGroup var options: NodeOptions
  @Option(help: "How many deliveries that end, at once.") var concurrency = 2
  @Option(help: "How many sources to follow as they change; 0 for none.") var followers = ServeCommand.followers

  func run() async throws {
    let node = try await Node.open(try options.settings())
    let group = ServiceGroup(
      configuration: .init(
        services: [.init(service: node.sequencer), .init(service: node.runner(concurrency: concurrency))]
          + (followers > 0 ? [.init(service: node.runner(.following, concurrency: followers))] : []),
        gracefulShutdownSignals: [.sigterm, .sigint], logger: Logger(label: "sanjiang")))
    try await group.run()
    await node.database.close()
  }
}
