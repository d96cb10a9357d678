import Connecting
import Kernel

/// Why a list of attributes is refused.
struct ODBCAttributeFault: Error {
  var message: Text
}

// What a department may say to a driver besides where the database is. A driver's parameters can name libraries to load,
// files to write and statements to run: those are the operator's.

extension ODBCAddress {
  private static let most = 20
  /// They have settings of their own, or lead somewhere else than these.
  private static let own: Set<String> = [
    "DSN", "DRIVER", "FILEDSN", "SAVEFILE", "UID", "USER", "USERID", "USERNAME", "PWD", "PASSWORD", "SERVER",
    "SERVERNAME", "HOST", "ADDRESS", "ADDR", "NETWORK", "PORT", "TCP_PORT", "DATABASE", "DB", "DBQ", "DBNAME",
    "SERVICE",
    "SOCKET", "UNIXSOCKET", "INSTANCE", "URL", "URI", "CONNECTIONSTRING", "TNSNAMES", "TNSADMIN", "SPID",
    // Ours, without which values would change on their way.
    "USEDECLAREFETCH", "FETCH", "LFCONVERSION", "PROTOCOL", "USESERVERSIDEPREPARE", "BYTEAASLONGVARBINARY",
    "BOOLSASCHAR",
    "STEPAPI", "NOWCHAR", "TIMEOUT", "SYNCPRAGMA", "JOURNALMODE", "NOTXN", "NOCREAT", "OEMCP", "BIGINT", "JDCONV",
    "SHORTNAMES",
    "CLIENTCHARSET", "CHARSET", "TDS_VERSION", "TDSVER", "APP", "LANGUAGE", "AUTOTRANSLATE", "REGIONAL",
    // They would use what this machine is, not what the department knows.
    "TRUSTED_CONNECTION", "INTEGRATEDSECURITY", "AUTHENTICATION", "GSSENCMODE",
    // psqlodbc's short names for files, statements and logs.
    "A6", "A7", "B2", "B3", "CX", "A8",
  ]
  /// Parts of names that mean files, libraries, traces, keys or statements of this machine's.
  private static let forbidden = [
    "FILE", "TRACE", "LOG", "LIB", "PATH", "DIR", "DLL", "EXT", "INIT", "STMT", "SETTING", "PLUGIN", "OPT", "KEY",
    "CERT",
    "DEBUG", "SCRIPT", "COMMAND", "EXEC", "SQL", "LOAD", "ATTACH", "TRANSLAT", "KRB", "SPN", "PROXY", "SOCK", "WALLET",
    "PASS", "PWD", "SECRET", "TOKEN",
  ]
  /// Known to be harmless although a part of their names is not.
  private static let permitted: Set<String> = ["TRUSTSERVERCERTIFICATE", "HOSTNAMEINCERTIFICATE"]

  static func attributes(_ text: String) -> Result<[Attribute], ODBCAttributeFault> {
    var found: [Attribute] = []
    for part in text.split(separator: ";") {
      let part = part.trimmingBlanks
      if part.isEmpty { continue }
      guard let sign = part.firstIndex(of: "=") else {
        return fault("参数应写作“名称=值”，以分号分隔。", "Write parameters as name=value, parted by semicolons.")
      }
      let name = part[..<sign].trimmingBlanks
      let value = part[part.index(after: sign)...].trimmingBlanks
      guard !name.isEmpty, name.utf8.count <= 60,
        name.utf8.allSatisfy({ ($0 | 0x20) &- 97 < 26 || $0 &- 48 < 10 || $0 == UInt8(ascii: "_") })
      else {
        return fault("参数名称只能由字母、数字和下划线组成。", "A parameter's name has letters, digits and underscores only.")
      }
      let upper = name.uppercased()
      let isForbidden =
        own.contains(upper) || !permitted.contains(upper) && forbidden.contains { upper.contains($0) }
      guard !isForbidden else {
        return fault(
          "不能设置参数 \(name)：它有单独的输入栏，或涉及本节点的文件、程序、日志、密钥，只能由运维人员设置。",
          "The parameter \(name) is not permitted here: it has a field of its own, or names files, libraries, logs or keys of this node, which are the operator's."
        )
      }
      guard value.utf8.count <= 200,
        value.unicodeScalars.allSatisfy({
          $0.value >= 0x20 && $0.value != 0x7F && !"/\\{}\"'".unicodeScalars.contains($0)
        })
      else {
        return fault(
          "参数 \(name) 的值不能含斜杠、引号、花括号和控制字符，最多 200 字节。",
          "The value of \(name) has no slashes, quotes, braces or control characters, and 200 bytes at most.")
      }
      guard !found.contains(where: { $0.name.uppercased() == upper }) else {
        return fault("参数 \(name) 写了两次。", "The parameter \(name) comes twice.")
      }
      found.append(Attribute(String(name), String(value)))
    }
    guard found.count <= most else { return fault("最多 \(most) 个参数。", "At most \(most) parameters.") }
    return .success(found)
  }

  private static func fault(_ chinese: String, _ english: String) -> Result<[Attribute], ODBCAttributeFault> {
    .failure(ODBCAttributeFault(message: Text(chinese, english)))
  }
}

extension Substring {
  fileprivate var trimmingBlanks: Substring {
    var text = self
    while let first = text.first, first == " " || first.isNewline || first == "\t" { text = text.dropFirst() }
    while let last = text.last, last == " " || last.isNewline || last == "\t" { text = text.dropLast() }
    return text
  }
}
