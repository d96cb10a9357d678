import Foundation
import Kernel
import Logging
package import Probing
import StoragePostgres
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
  /// Hosts whose services a department may tie an entry to; no other is asked, and none where the list is empty.
  package var apiHosts: [DeclaredHost]
  /// `debug`, `info`, `warning`, `error`: what goes to the log; `info` has a line for each request.
  package var logLevel: String
  /// A command that looks at each attachment before it is kept, such as `clamdscan --fdpass`; nil for none.
  package var attachmentScanner: String?
  /// Staff roles must use a second factor.
  package var secondFactorForStaff: Bool
  /// Whether a department's source may be reached by a socket of this machine: there the database takes the node's own user
  /// of the operating system for who is asking.
  package var socketSources: Bool

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

  /// Throws a refusal that names the setting and where it came from.
  package init(_ sources: Sources) throws {
    let environment = sources.environment["SANJIANG_CONFIG"]
    if environment?.isEmpty == true && sources.file == nil {
      throw Self.empty("config", "SANJIANG_CONFIG")
    }
    let named = sources.file ?? environment
    let path = named ?? "sanjiang.yaml"
    let fromFile = try Self.readFile(path, mustExist: named != nil)
    func found(_ key: String) throws -> (value: String, place: String)? {
      let variable = "SANJIANG_" + key.uppercased().replacingOccurrences(of: "-", with: "_")
      let found =
        sources.flags[key].map { ($0, "--\(key)") } ?? sources.environment[variable].map { ($0, variable) }
        ?? fromFile[key].map { ($0, path) }
      // Nothing at all would be a file's name here and no host there: whoever left it empty meant something else.
      if let found, !Self.lists.contains(key), found.0.allSatisfy(\.isWhitespace) { throw Self.empty(key, found.1) }
      return found
    }
    func value(_ key: String) throws -> String? { try found(key)?.value }
    data = try value("data") ?? "var/sanjiang"
    database = try value("database") ?? "sqlite:\(data)/sanjiang.sqlite"
    guard database != "sqlite:" else {
      let place = try found("database")?.place ?? path
      throw Self.wrong("database", place, "缺少文件名，应为 sqlite:路径", "sqlite: lacks the file's path")
    }
    host = try value("host") ?? "127.0.0.1"
    let given = try found("port") ?? ("8080", "")
    guard let port = Int(given.value), (0...65535).contains(port) else {
      throw Self.wrong("port", given.place, "应为 0 到 65535 的整数", "should be a whole number from 0 to 65535")
    }
    self.port = port
    certificate = try value("tls-cert")
    certificateKey = try value("tls-key")
    guard (certificate == nil) == (certificateKey == nil) else {
      throw Refusal.invalid(
        "settings.tls", "tls-cert", Text("tls-cert 与 tls-key 须同时给出。", "tls-cert and tls-key are given together."))
    }
    trustedProxies = try (value("trusted-proxy") ?? "").split(separator: ",").map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    sourceFolders = try (value("source-folders") ?? data + "/sources").split(separator: ",").map {
      URL(fileURLWithPath: $0.trimmingCharacters(in: .whitespaces)).path
    }
    apiHosts = try Self.hosts(found("api-hosts"))
    attachmentScanner = try value("attachment-scanner")
    let level = try found("log-level") ?? ("info", "")
    guard ["debug", "info", "warning", "error"].contains(level.value) else {
      throw Self.wrong(
        "log-level", level.place, "应为 debug、info、warning 或 error", "should be debug, info, warning or error")
    }
    logLevel = level.value
    secondFactorForStaff = try Self.isYes(found("second-factor"), "second-factor")
    socketSources = try Self.isYes(found("socket-sources"), "socket-sources")
  }

  private static func isYes(_ given: (value: String, place: String)?, _ key: String) throws -> Bool {
    switch given?.value.lowercased() {
    case "yes", "true", "on", "1": true
    case nil, "no", "false", "off", "0": false
    default: throw wrong(key, given?.place ?? "", "应为 yes 或 no", "should be yes or no")
    }
  }

  private static func hosts(_ given: (value: String, place: String)?) throws -> [DeclaredHost] {
    try (given?.value ?? "").split(separator: ",").map { part in
      let text = part.trimmingCharacters(in: .whitespaces)
      guard let host = DeclaredHost(text) else {
        throw wrong(
          "api-hosts", given?.place ?? "", "中的“\(text)”应为 主机 或 主机:端口",
          "has “\(text)”, which should be host or host:port")
      }
      return host
    }
  }

  /// `place` is the flag, the variable or the file.
  private static func wrong(_ key: String, _ place: String, _ chinese: String, _ english: String) -> Refusal {
    Refusal.invalid(
      "settings.\(key)", key,
      Text("设置 \(key)（来自 \(place)）\(chinese)。", "The setting \(key) (from \(place)) \(english)."))
  }

  private static func empty(_ key: String, _ place: String) -> Refusal {
    wrong(key, place, "是空的；请写上内容，或整个去掉", "is empty; give it a value or leave it out")
  }

  private static let known: Set<String> = [
    "data", "database", "host", "port", "tls-cert", "tls-key", "trusted-proxy", "source-folders", "api-hosts",
    "log-level", "second-factor", "socket-sources", "attachment-scanner",
  ]
  /// May be given as a list, and may be empty.
  private static let lists: Set<String> = ["trusted-proxy", "source-folders", "api-hosts"]

  private static func readFile(_ path: String, mustExist: Bool) throws -> [String: String] {
    func refused(_ chinese: String, _ english: String) -> Refusal {
      Refusal.invalid("settings.file", "config", Text(chinese, english))
    }
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      // One that is there and cannot be read was meant to be.
      guard mustExist || FileManager.default.fileExists(atPath: path) else { return [:] }
      throw refused(
        "读不到配置文件 \(path)（须存在、可读、为 UTF-8）。",
        "Cannot read the settings file \(path): it must be there, readable, and in UTF-8.")
    }
    let yaml: Any?
    do { yaml = try Yams.load(yaml: text) } catch {
      let line = (error as? YamlError).flatMap(Self.line).map { Text("第 \($0) 行附近", "near line \($0)") }
      throw refused(
        "\(path) \(line?.chinese ?? "")不是正确的 YAML；应为每行一个“键: 值”，值里有冒号或引号时用双引号括起。",
        "\(path) is not correct YAML\(line.map { " " + $0.english } ?? ""); it should be key: value on each line, with a value that has colons or quotes in double quotes."
      )
    }
    guard let map = yaml as? [String: Any] else {
      throw refused("\(path) 应为“键: 值”的列表。", "\(path) should be a list of key: value.")
    }
    if let stranger = map.keys.sorted().first(where: { !known.contains($0) }) {
      throw Refusal.invalid(
        "settings.unknown", stranger,
        Text(
          "\(path) 中没有“\(stranger)”这项设置；可用的有：\(known.sorted().joined(separator: "、"))。",
          "\(path) has a setting “\(stranger)” that does not exist; there are: \(known.sorted().joined(separator: ", "))."
        ))
    }
    var values: [String: String] = [:]
    for (key, value) in map.sorted(by: { $0.key < $1.key }) {
      if let one = plain(value) {
        values[key] = one
      } else if lists.contains(key), let several = value as? [Any] {
        values[key] = try several.map { item in
          guard let one = plain(item) else { throw shapeless(key, path) }
          return one
        }.joined(separator: ",")
      } else if value is NSNull {
        values[key] = ""
      } else {
        throw shapeless(key, path)
      }
    }
    return values
  }

  private static func plain(_ value: Any) -> String? {
    switch value {
    case let text as String: text
    case let flag as Bool: "\(flag)"
    case let number as Int: "\(number)"
    case let number as Double: "\(number)"
    default: nil
    }
  }

  private static func shapeless(_ key: String, _ path: String) -> Refusal {
    lists.contains(key)
      ? wrong(key, path, "应为一个值或一列值", "should be one value or a list of them")
      : wrong(key, path, "应为一个值，不能是列表、嵌套的键或日期", "should be one value, not a list, nested keys or a date")
  }

  private static func line(_ error: YamlError) -> Int? {
    switch error {
    case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): mark.line
    case .duplicatedKeysInMapping(_, let context): context.mark.line
    default: nil
    }
  }

  /// Where the data is, for people to read: never the password, in whatever form the address is.
  package var databaseForDisplay: String {
    if database.hasPrefix("sqlite:") { return database }
    return (try? PostgresAddress(database).display) ?? "PostgreSQL"
  }
}

extension Settings {
  /// One that says no more than the operator wants to hear (`log-level`).
  func logger(_ label: String) -> Logger {
    var logger = Logger(label: label)
    logger.logLevel = Logger.Level(rawValue: logLevel) ?? .info
    return logger
  }
}
