import Connecting
import Kernel

/// What an error of the server or its client library means for a delivery.
enum MariaDBError {
  static func error(_ number: UInt32, state: String, said: String) -> ConnectorError {
    let words = mayQuote(number) && !said.isEmpty ? said : ""
    return ConnectorError(
      kind(number, state), "mariadb.\(number)",
      Text(
        "数据库报错 \(number)\(words.isEmpty ? "" : "：" + words)",
        "The database reports \(number)\(words.isEmpty ? "" : ": " + words)"))
  }

  static func refusedConnection(_ number: UInt32, state: String, said: String) -> ConnectorError {
    ConnectorError(
      kind(number, state), "mariadb.connect",
      Text("无法连接数据库（\(number)）：\(said)", "Cannot connect to the database (\(number)): \(said)"))
  }

  static func kind(_ number: UInt32, _ state: String) -> ConnectorError.Kind {
    switch number {
    // The connection broke, the server stops or has no room; a lock or a thread was not free; time ran out.
    case 2000...2006, 2009...2013, 2048, 2055, 1020, 1021, 1037...1043, 1053, 1077...1080, 1105, 1114, 1152,
      1154...1161, 1189, 1190, 1203, 1205, 1206, 1213, 1226, 1317, 1412, 1614, 1927, 1969, 3024, 3572:
      return .retryable
    // TiDB: the region moved, the schema changed meanwhile, a write met another. OceanBase: time ran out, leader moved.
    case 8002, 8022, 8028, 9001...9010, 4012, 4038, 4138, 6002: return .retryable
    // No such table or column, a view that holds no more, another number of columns.
    case 1051, 1054, 1072, 1109, 1136, 1146, 1356, 1364: return .contract
    case 1048, 1062, 1264, 1265, 1292, 1366, 1367, 1406, 1411, 1441, 1451, 1452, 1525, 3140, 4025: return .data
    default: break
    }
    switch state.prefix(2) {
    case "08", "40": return .retryable
    case "22", "23": return .data
    default: return .permanent
    }
  }

  /// The server puts values into many of its messages (1062 quotes the key, 1064 the statement). These name accounts,
  /// hosts, tables and columns only.
  private static func mayQuote(_ number: UInt32) -> Bool {
    switch number {
    case 2000...2062, 1021, 1037...1049, 1053, 1054, 1071, 1072, 1074, 1114, 1118, 1129...1131, 1142...1146, 1153,
      1158...1161,
      1203, 1205, 1206, 1213, 1226, 1227, 1290, 1356, 1412, 1664, 1665, 1792, 1836, 1927, 1969, 3024:
      number != 1048
    default: false
    }
  }
}

/// Names and values inside statements. The session's sql_mode has NO_BACKSLASH_ESCAPES, so only the quote itself can end
/// a literal.
enum MariaDBQuote {
  static func name(_ name: String) -> String { "`" + name.replacing("`", with: "``") + "`" }

  static func text(_ text: String) -> String { "'" + text.replacing("'", with: "''") + "'" }

  /// `X'00FF'`.
  static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var text: [UInt8] = Array("X'".utf8)
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    text.append(UInt8(ascii: "'"))
    return String(decoding: text, as: UTF8.self)
  }
}
