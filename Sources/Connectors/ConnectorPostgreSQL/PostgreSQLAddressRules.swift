internal import CLibPQ
package import Kernel

extension PostgreSQLAddress {
  /// Parameters that only say where the other side is and how to reach it. Everything else (files of this server, services,
  /// programs, options of the session) stays out of a form that people fill in.
  private static let permitted: Set<String> = [
    "host", "hostaddr", "port", "dbname", "user", "sslmode", "connect_timeout", "application_name",
    "target_session_attrs", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count",
    "channel_binding", "gssencmode",
  ]

  /// Why PostgreSQL cannot have a table or column of this name: it cuts names after 63 bytes, and every table has some
  /// columns already.
  package static func fault(inName name: String) -> Text? {
    if name.utf8.count > 63 {
      return Text(
        "“\(name)”超过 PostgreSQL 允许的 63 字节（约 21 个汉字）。",
        "“\(name)” is longer than the 63 bytes that PostgreSQL allows (about 21 Chinese characters).")
    }
    if ["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"].contains(name) {
      return Text("“\(name)”是 PostgreSQL 的系统列名。", "“\(name)” is a system column of PostgreSQL.")
    }
    return nil
  }

  /// Whether libpq would go to a socket of this machine: it does where no host is named. False for what is no address.
  package static func usesSocket(_ address: String) -> Bool {
    guard let options = PQconninfoParse(address, nil) else { return false }
    defer { PQconninfoFree(options) }
    var (hosts, addresses) = ("", "")
    var at = options
    while let keyword = at.pointee.keyword {
      let value = at.pointee.val.map { String(cString: $0) } ?? ""
      switch String(cString: keyword) {
      case "host": hosts = value
      case "hostaddr": addresses = value
      default: break
      }
      at += 1
    }
    let places = (addresses.isEmpty ? hosts : addresses).split(separator: ",", omittingEmptySubsequences: false)
    return places.contains { $0.isEmpty || $0.hasPrefix("/") || $0.hasPrefix("@") }
  }

  /// What is wrong with an address, read as libpq itself reads it; nil when nothing is.
  package static func fault(in address: String) -> Text? {
    var message: UnsafeMutablePointer<CChar>?
    guard let options = PQconninfoParse(address, &message) else {
      PQfreemem(message)
      return Text(
        "地址写法不对，应如 postgres://reader@10.1.2.3:5432/registry 或 host=10.1.2.3 dbname=registry user=reader。",
        "This is no address; write postgres://reader@10.1.2.3:5432/registry or host=10.1.2.3 dbname=registry user=reader."
      )
    }
    defer { PQconninfoFree(options) }
    var at = options
    while let keyword = at.pointee.keyword {
      defer { at += 1 }
      guard at.pointee.val != nil else { continue }
      let name = String(cString: keyword)
      if name == "password" {
        return Text("口令请填写在口令栏，它会加密保存且不再显示。", "Put the password in its own field, where it is sealed and never shown.")
      }
      if !permitted.contains(name) {
        return Text(
          "地址中不能使用参数 \(name)；只能写对方的主机、端口、库名、用户和连接方式。",
          "Parameter \(name) is not permitted here; an address names the other side's host, port, database, user and how to reach it."
        )
      }
    }
    return nil
  }
}
