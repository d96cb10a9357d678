package import Connecting
package import Kernel

/// What a person enters for a source; a secret left blank keeps the one that is stored.
package struct SourceDraft: Hashable, Sendable {
  package var name: String
  package var kind: String
  package var settings: [String: String]

  package init(name: String, kind: String, settings: [String: String]) {
    self.name = name
    self.kind = kind
    self.settings = settings
  }
}

/// Where sources may lie on this node. Without it a settings form would be a way to read any file of the server.
package struct SourceAdmission: Sendable {
  /// What is wrong with these settings on this node, each at `setting.<name>`.
  package var faults: @Sendable (_ kind: String, _ settings: [String: String]) -> [Refusal.Fault]

  package init(faults: @escaping @Sendable (_ kind: String, _ settings: [String: String]) -> [Refusal.Fault]) {
    self.faults = faults
  }

  /// Anywhere: for tests, and for the command line, whose user owns the machine.
  package static let anywhere = SourceAdmission { _, _ in [] }

  /// Settings that look like paths must lie under one of these folders, without `..` and without links out of it being
  /// followed by name.
  package static func files(under folders: [String]) -> SourceAdmission {
    SourceAdmission { _, settings in
      settings.sorted { $0.key < $1.key }.compactMap { name, value in
        guard pathSettings.contains(name) || value.hasPrefix("/") && !hostSettings.contains(name) else { return nil }
        let isInside = folders.contains { folder in
          let folder = folder.hasSuffix("/") ? folder : folder + "/"
          return value.hasPrefix(folder) && value.count > folder.count
        }
        guard isInside, !value.split(separator: "/").contains("..") else {
          return Refusal.Fault(
            "setting.\(name)",
            Text(
              "文件须放在本节点允许的目录下：\(folders.joined(separator: "、"))。",
              "The file must lie in a folder this node permits: \(folders.joined(separator: ", "))."))
        }
        return nil
      }
    }
  }

  /// Names under which connectors take a path.
  private static let pathSettings: Set<String> = ["file", "path", "folder"]
  /// A host may begin with a slash: the folder of a server's socket.
  private static let hostSettings: Set<String> = ["host"]
}

extension SourceDraft {
  package static let nameLimit = 64
  package static let settingLimit = 1000

  /// What is wrong with it; `kept` are the secrets a stored source already has.
  package func faults(kind: ConnectorKind?, kept: [String], admission: SourceAdmission) -> [Refusal.Fault] {
    guard let kind else {
      return [Refusal.Fault("kind", Text("请选择连接方式。", "Choose how to connect."))]
    }
    var faults: [Refusal.Fault] = []
    if name.isEmpty {
      faults.append(.init("source", Text("请填写数据源名称。", "Enter a name for the source.")))
    } else if name.count > Self.nameLimit {
      faults.append(
        .init("source", Text("名称最多 \(Self.nameLimit) 个字。", "The name has at most \(Self.nameLimit) characters.")))
    }
    let known = Set(kind.settings.map(\.name))
    for stranger in settings.keys.sorted() where !known.contains(stranger) {
      faults.append(
        .init("setting.\(stranger)", Text("该连接方式没有这项设置。", "This kind of connection has no such setting.")))
    }
    for setting in kind.settings {
      let value = settings[setting.name] ?? ""
      let field = "setting.\(setting.name)"
      if value.isEmpty {
        guard setting.isRequired, !(setting.isSecret && kept.contains(setting.name)) else { continue }
        faults.append(
          .init(field, Text("请填写\(setting.title.chinese)。", "Enter the \(setting.title.english).")))
      } else if value.utf8.count > Self.settingLimit {
        faults.append(
          .init(field, Text("最多 \(Self.settingLimit) 字节。", "At most \(Self.settingLimit) bytes.")))
      } else if value.unicodeScalars.contains(where: { $0.value < 0x20 }) {
        faults.append(.init(field, Text("不能含有控制字符。", "Control characters are not allowed.")))
      } else if !setting.isSecret, let parameter = fileParameter(in: value) {
        faults.append(
          .init(
            field,
            Text(
              "不能使用参数 \(parameter)，它会让服务器读取本机文件。",
              "Parameter \(parameter) is not allowed: it makes the server read its own files.")))
      } else if !setting.isSecret, carriesSecret(value) {
        faults.append(
          .init(
            field,
            Text("口令请填写在口令栏，它会加密保存且不再显示。", "Put the password in its own field, where it is sealed and never shown.")))
      }
    }
    return faults + admission.faults(kind.name, settings)
  }
}

/// A connection parameter that names a file or a service of this machine; an address must name only the other side.
private func fileParameter(in value: String) -> String? {
  let folded = value.lowercased()
  return ["passfile", "servicefile", "service", "sslkey", "sslcert", "sslrootcert", "sslcrl", "sslcrldir"].first {
    name in
    ["?", "&", " "].contains { folded.contains($0 + name + "=") } || folded.hasPrefix(name + "=")
  }
}

/// `password=…` or `user:word@host` in a setting that everyone may read.
private func carriesSecret(_ value: String) -> Bool {
  let folded = value.lowercased()
  if folded.contains("password=") || folded.contains("passwd=") || folded.contains("pwd=") { return true }
  guard let scheme = folded.firstRange(of: "://") else { return false }
  let rest = folded[scheme.upperBound...]
  guard let at = rest.firstIndex(of: "@") else { return false }
  return rest[..<at].contains(":")
}
