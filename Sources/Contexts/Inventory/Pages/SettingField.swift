package import Connecting
package import Kernel
package import Web

/// A setting of a connector as an input of a form: `setting.<name>`. One that is kept sealed may stay empty.
package func settingField(_ t: Language, _ setting: ConnectorKind.Setting, isKept: Bool) -> Field {
  let example = setting.example.isEmpty ? nil : Text("例如 \(setting.example)", "For example \(setting.example)")
  let kind: Field.Kind
  if !setting.choices.isEmpty {
    let none = setting.isRequired ? [] : [("", t("不指定", "Not said"))]
    kind = .choice(none + setting.choices.map { ($0.value, t($0.title)) })
  } else if setting.isLong {
    kind = .area(maxLength: SourceDraft.longSettingLimit)
  } else {
    kind = setting.isSecret ? .newPassword : .text(maxLength: SourceDraft.settingLimit)
  }
  return Field(
    "setting.\(setting.name)", setting.title, kind, required: setting.isRequired && !isKept,
    hint: isKept
      ? Text("已加密保存；留空则不变。", "Kept sealed; leave blank to keep it.") : setting.choices.isEmpty ? example : nil)
}

/// What such inputs came back with, also under names that no setting has.
package func enteredSettings(_ form: Fields, _ known: [ConnectorKind.Setting]) -> [String: String] {
  var settings: [String: String] = [:]
  for pair in form.pairs where pair.name.hasPrefix("setting.") {
    let name = String(pair.name.dropFirst("setting.".count))
    let setting = known.first { $0.name == name }
    // A password may begin or end with a blank.
    let value = setting?.isSecret == true ? pair.value : form[pair.name] ?? ""
    // Browsers send lines parted by two characters.
    settings[name] =
      setting?.isLong == true
      ? value.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).joined(separator: "\n") : value
  }
  return settings
}
