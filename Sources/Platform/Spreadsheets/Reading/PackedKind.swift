import Kernel

/// What somebody was asked for when he sent a zip: it decides in which words he is told what is wrong with it.
enum PackedKind {
  /// A workbook: that it is a zip inside is nothing he knows of.
  case workbook
  /// A zip of tables.
  case zip

  /// What is wrong with one file inside.
  func part(_ code: String, _ name: String, _ chinese: String, _ english: String) -> Refusal {
    switch self {
    case .workbook: .part(code, name, chinese, english)
    case .zip:
      .workbook(
        code, "压缩包内的“\(name)”：\(chinese)请重新打包成 .zip 后上传。",
        "The file “\(name)” in the zip: \(english) Pack the .zip anew and send it again.")
    }
  }

  /// The whole, in the middle of a sentence and at its beginning.
  var title: (chinese: String, english: String, capital: String) {
    switch self {
    case .workbook: ("工作簿", "the workbook", "The workbook")
    case .zip: ("压缩包", "the zip", "The zip")
    }
  }

  /// Nil for a file of this kind; what is no zip at all is told by what it is.
  func refusal(_ file: WorkbookFile) -> Refusal? {
    let (kind, name) = (FileKind(file), shown(file.name))
    guard self == .zip, kind != .empty else { return kind.refusal(file.name) }
    return kind == .zip
      ? nil
      : Refusal.workbook(
        "kind", "文件“\(name)”不是 .zip 压缩包，或已损坏、没有传完。请重新打包成 .zip 后上传；RAR、7z 等格式读不了。",
        "The file “\(name)” is no .zip, or is damaged or cut off. Pack it as .zip and send it again; RAR, 7z and the like cannot be read."
      )
  }
}
