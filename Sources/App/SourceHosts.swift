import ConnectorFiles
import ConnectorHTTP
import Inventory
import Kernel
import Probing

extension SourceAdmission {
  /// Sources that are files or APIs on another machine lie on hosts that the operator declares (`api-hosts`): what answers
  /// by HTTP or SFTP is not only databases, and a department's form must not become a way to look around the network.
  static func machines(declared hosts: [DeclaredHost], and others: SourceAdmission) -> SourceAdmission {
    SourceAdmission { settings, owner in
      let faults = others.faults(settings, owner)
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

  /// Judged by the address itself, whatever else the settings say.
  private static func machine(of settings: [String: String]) -> (host: String, port: Int)? {
    if let machine = FilesConnector.machine(settings) { return machine }
    let address = (settings["address"] ?? "").lowercased()
    return address.hasPrefix("http://") || address.hasPrefix("https://") ? HTTPConnector.machine(settings) : nil
  }
}
