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

extension SourceDraft {
  package static let nameLimit = 64
  package static let settingLimit = 1000
  /// Of a setting of several lines: a private key, a chain of certificates.
  package static let longSettingLimit = 16_384

  /// What is wrong with it; `kept` are the secrets a stored source already has, `owner` its organisation's credit code.
  package func faults(
    kind: ConnectorKind?, kept: [String], admission: SourceAdmission, owner: String
  ) -> [Refusal.Fault] {
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
      } else if value.utf8.count > (setting.isLong ? Self.longSettingLimit : Self.settingLimit) {
        let most = setting.isLong ? Self.longSettingLimit : Self.settingLimit
        faults.append(.init(field, Text("最多 \(most) 字节。", "At most \(most) bytes.")))
      } else if value.unicodeScalars.contains(where: {
        $0.value < 0x20 && !(setting.isLong && $0.properties.isWhitespace)
      }) {
        faults.append(.init(field, Text("不能含有控制字符。", "Control characters are not allowed.")))
      }
    }
    if faults.isEmpty {
      faults = kind.check(settings).map { Refusal.Fault("setting.\($0.setting)", $0.message) }
    }
    return faults + admission.faults(settings, owner)
  }
}
