import Foundation
import Kernel
import Yams

/// How a node is set up: by flag, then by `SANJIANG_…` variable, then by `sanjiang.yaml`, then by default.
///
/// Secrets are never printed: the database address is shown without its password.
package struct Settings: Sendable {
  /// `sqlite:PATH` or a `postgres://` address, several hosts allowed.
  package var database: String
  /// The data folder: keys, files, the default database.
  package var data: String
  package var host: String
  package var port: Int
  package var certificate: String?
  package var certificateKey: String?
  /// The addresses a reverse proxy speaks from; only then are its X-Forwarded headers believed.
  package var trustedProxies: [String]
  /// Folders in which a data source may be a file; others are refused, or a form would read any file of the server.
  package var sourceFolders: [String]
  /// `debug`, `info`, `warning`, `error`: what goes to the log; `info` has a line for each request.
  package var logLevel: String
  /// Staff roles must use a second factor.
  package var secondFactorForStaff: Bool

  /// Where a setting may come from, first match wins.
  package struct Sources {
    package var flags: [String: String] = [:]
    package var environment: [String: String] = ProcessInfo.processInfo.environment
    package var file: String? = nil

    package init(flags: [String: String?] = [:], file: String? = nil) {
      self.flags = flags.compactMapValues { $0 }
      self.file = file
    }
  }

  package init(_ sources: Sources) throws {
    let named = sources.file ?? sources.environment["SANJIANG_CONFIG"]
    let fromFile = try Self.readFile(named ?? "sanjiang.yaml", mustExist: named != nil)
    func value(_ key: String) -> String? {
      let variable = "SANJIANG_" + key.uppercased().replacingOccurrences(of: "-", with: "_")
      return sources.flags[key] ?? sources.environment[variable] ?? fromFile[key]
    }
    data = value("data") ?? "var/sanjiang"
    database = value("database") ?? "sqlite:\(data)/sanjiang.sqlite"
    host = value("host") ?? "127.0.0.1"
    guard let port = Int(value("port") ?? "8080"), (0...65535).contains(port) else {
      throw Refusal.invalid(
        "settings.port", "port", Text("端口应为 0 到 65535 的整数。", "port: a whole number from 0 to 65535."))
    }
    self.port = port
    certificate = value("tls-cert")
    certificateKey = value("tls-key")
    guard (certificate == nil) == (certificateKey == nil) else {
      throw Refusal.invalid(
        "settings.tls", "tls-cert", Text("tls-cert 与 tls-key 须同时给出。", "tls-cert and tls-key are given together."))
    }
    trustedProxies = (value("trusted-proxy") ?? "").split(separator: ",").map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    sourceFolders = (value("source-folders") ?? data + "/sources").split(separator: ",").map {
      URL(fileURLWithPath: $0.trimmingCharacters(in: .whitespaces)).path
    }
    logLevel = value("log-level") ?? "info"
    guard ["debug", "info", "warning", "error"].contains(logLevel) else {
      throw Refusal.invalid(
        "settings.log-level", "log-level",
        Text("log-level 应为 debug、info、warning 或 error。", "log-level: debug, info, warning or error."))
    }
    secondFactorForStaff = try Self.flag(value("second-factor") ?? "no", "second-factor")
  }

  private static func flag(_ text: String, _ key: String) throws -> Bool {
    switch text.lowercased() {
    case "yes", "true", "on", "1": return true
    case "no", "false", "off", "0": return false
    default: throw Refusal.invalid("settings.\(key)", key, Text("\(key) 应为 yes 或 no。", "\(key): yes or no."))
    }
  }

  private static let known: Set<String> = [
    "data", "database", "host", "port", "tls-cert", "tls-key", "trusted-proxy", "source-folders", "log-level",
    "second-factor",
  ]

  private static func readFile(_ path: String, mustExist: Bool) throws -> [String: String] {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      if mustExist {
        throw Refusal.invalid(
          "settings.file", "config", Text("读不到配置文件 \(path)。", "Cannot read the settings file \(path)."))
      }
      return [:]
    }
    guard let map = try Yams.load(yaml: text) as? [String: Any] else {
      throw Refusal.invalid(
        "settings.file", "config", Text("\(path) 应为“键: 值”的列表。", "\(path) should be a list of key: value."))
    }
    var values: [String: String] = [:]
    if let stranger = map.keys.sorted().first(where: { !known.contains($0) }) {
      throw Refusal.invalid(
        "settings.unknown", stranger,
        Text(
          "\(path) 中没有“\(stranger)”这项设置；可用的有：\(known.sorted().joined(separator: "、"))。",
          "\(path) has a setting “\(stranger)” that does not exist; there are: \(known.sorted().joined(separator: ", "))."
        ))
    }
    for (key, value) in map { values[key] = (value as? [Any])?.map { "\($0)" }.joined(separator: ",") ?? "\(value)" }
    return values
  }

  /// The database's address without its password, for people to read.
  package var databaseForDisplay: String {
    guard let at = database.firstIndex(of: "@"), let scheme = database.range(of: "://") else { return database }
    let user = database[scheme.upperBound..<at].prefix { $0 != ":" }
    return String(database[..<scheme.upperBound] + user + database[at...])
  }
}
