import ConnectorFiles
import ConnectorHTTP
import ConnectorPostgreSQL
import Inventory
import Kernel
import Probing

extension SourceAdmission {
  /// Sources that are files or APIs on another machine lie on hosts that the operator declares (`api-hosts`): what answers
  /// by HTTP or SFTP is not only databases, and a department's form must not become a way to look around the network.
  ///
  /// Nor into this machine by the back door: over a socket a database takes the node's own user for who is asking, and asks for
  /// no password, unless `sockets` permits that.
  static func machines(
    declared hosts: [DeclaredHost], sockets: Bool, and others: SourceAdmission
  ) -> SourceAdmission {
    SourceAdmission { settings, owner in
      var faults = others.faults(settings, owner)
      if !sockets, let setting = socket(in: settings) {
        faults.append(
          Refusal.Fault(
            "setting.\(setting)",
            Text(
              "请写明数据库的主机（本机写 127.0.0.1），不能经本机套接字连接：那样数据库会把平台自己的系统账号当作来访者。",
              "Name the database's host (127.0.0.1 for this machine); its socket is not open to sources: there the database takes the platform's own account for who is asking."
            )))
      }
      guard let machine = machine(of: settings) else { return faults }
      let isDeclared = hosts.contains { declared in
        declared.host == machine.host
          && declared.port.map { $0 == machine.port } ?? [22, 80, 443].contains(machine.port)
      }
      guard !isDeclared else { return faults }
      return faults + [
        Refusal.Fault(
          "setting.address",
          Text(
            "本节点没有声明可以访问的主机 \(machine.host):\(machine.port)，请联系平台运维人员在 api-hosts 中声明。",
            "This node does not declare \(machine.host):\(machine.port) as a host that may be asked; the operator declares it in api-hosts."
          ))
      ]
    }
  }

  /// The setting that leads to a socket of this machine: one of PostgreSQL's, itself or through ODBC. MariaDB is always asked by
  /// TCP.
  private static func socket(in settings: [String: String]) -> String? {
    if let address = settings["address"], PostgreSQLAddress.usesSocket(address) { return "address" }
    if let server = settings["server"], server.hasPrefix("/") || server.hasPrefix("@") { return "server" }
    let driver = (settings["driver"] ?? "").lowercased()
    return (driver.contains("postgres") || driver.contains("psql")) && (settings["server"] ?? "").isEmpty
      ? "server" : nil
  }

  /// Judged by the address itself, whatever else the settings say.
  private static func machine(of settings: [String: String]) -> (host: String, port: Int)? {
    if let machine = FilesConnector.machine(settings) { return machine }
    let address = (settings["address"] ?? "").lowercased()
    return address.hasPrefix("http://") || address.hasPrefix("https://") ? HTTPConnector.machine(settings) : nil
  }
}
