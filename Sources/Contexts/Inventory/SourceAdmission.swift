#if canImport(Glibc)
  internal import Glibc
#endif
package import Identity
package import Kernel

/// Where sources may lie on this node. Without it a settings form would be a way to read any file of the server, and one
/// department's form a way into another's files.
package struct SourceAdmission: Sendable {
  /// What is wrong with these settings for an organisation of this credit code, each at `setting.<name>`.
  package var faults: @Sendable (_ settings: [String: String], _ owner: String) -> [Refusal.Fault]

  package init(faults: @escaping @Sendable (_ settings: [String: String], _ owner: String) -> [Refusal.Fault]) {
    self.faults = faults
  }

  /// Anywhere: for tests, and for the command line, whose user owns the machine.
  package static let anywhere = SourceAdmission { _, _ in [] }

  /// Settings that are paths must lead into the owner's own folder, which bears its credit code and stands in one of
  /// `folders`: `sources/11630000PDY000642N/…`. Links are followed before that is judged.
  package static func files(under folders: [String]) -> SourceAdmission {
    SourceAdmission { settings, owner in
      settings.sorted { $0.key < $1.key }.compactMap { name, value in
        guard pathSettings.contains(name) || value.hasPrefix("/") && !otherSettings.contains(name) else { return nil }
        let own = folders.map { ($0.hasSuffix("/") ? $0 : $0 + "/") + owner + "/" }
        guard value.hasPrefix("/"), own.contains(where: { leads(value, into: $0) }) else {
          return Refusal.Fault(
            "setting.\(name)",
            Text(
              "文件须放在本单位在本节点的目录下：\(own.joined(separator: "、"))。",
              "The file must lie in your organisation's folder on this node: \(own.joined(separator: ", "))."))
        }
        return nil
      }
    }
  }

  /// Throws where a stored source leads outside what its owner may use: a link may have been laid since it was entered.
  package func check(_ source: DataSource, _ address: SourceAddress, owner: Organisation?) throws {
    guard let fault = faults(address.settings, owner?.creditCode ?? "-").first else { return }
    throw Refusal(
      .forbidden, "inventory.source.outside",
      Text("数据源“\(source.name)”：\(fault.message.chinese)", "Source “\(source.name)”: \(fault.message.english)"))
  }

  /// Names under which connectors take a path.
  private static let pathSettings: Set<String> = ["file", "path", "folder"]
  /// What may begin with a slash and is no path: a host (the folder of a server's socket), places in an answer (JSON pointers,
  /// RFC 6901), and what is secret.
  private static let otherSettings: Set<String> = [
    "host", "list", "total", "pointer", "password", "secret", "access", "key", "headers", "user",
  ]

  /// Whether the path, with every link on it followed, lies in the folder. What does not exist yet lies where its
  /// nearest existing folder says.
  private static func leads(_ path: String, into folder: String) -> Bool {
    let parts = path.split(separator: "/")
    guard path.hasPrefix(folder), path.utf8.count > folder.utf8.count, !parts.contains(".."), !parts.contains(".")
    else { return false }
    guard let root = real(folder) else {
      // Nobody made the folder yet: then nothing in it can be a link.
      return true
    }
    for length in stride(from: parts.count, through: 1, by: -1) {
      guard let found = real("/" + parts.prefix(length).joined(separator: "/")) else { continue }
      return found.hasPrefix(root + "/") || found == root && length < parts.count
    }
    return false
  }

  private static func real(_ path: String) -> String? {
    guard let found = realpath(path, nil) else { return nil }
    defer { free(found) }
    return String(cString: found)
  }
}
