import Kernel

/// The strings that cells name by number, one after the other in one buffer: a million short strings cost their bytes and
/// four more each, not a million objects.
final class SharedStrings: PartContent {
  private var bytes: [UInt8] = []
  /// Where each one ends.
  private var ends: [UInt32] = []
  private var runs = TextRuns()
  private let part: String
  private let most: Int

  init() {
    part = ""
    most = 0
  }

  init(_ part: String, _ container: Container, _ limits: ReadingLimits) throws(Refusal) {
    self.part = part
    most = min(limits.sharedStringBytes, Int(UInt32.max))
    try container.parse(part, limits, self)
  }

  var count: Int { ends.count }

  /// The string's bytes; the index must be below `count`.
  subscript(_ index: Int) -> ArraySlice<UInt8> {
    bytes[(index == 0 ? 0 : Int(ends[index - 1]))..<Int(ends[index])]
  }

  private var tooMany: Refusal {
    .tooLarge(
      "shared-strings", "工作簿的全部文字超过 \(sizeText(most))。请拆分后分次上传。",
      "All texts of the workbook come to more than \(sizeText(most)). Split it and send the pieces.")
  }

  func begin(_ name: ElementName, _ attributes: AttributeList, depth: Int) throws(Refusal) {
    if depth == 1 {
      guard name.is("sst") else { throw .part("root", part, "不是共享字符串表。", "this is no table of shared strings.") }
    } else if depth == 2, name.is("si") {
      runs.removeAll()
    } else if depth > 2 {
      runs.begin(name, attributes, depth: depth)
    }
  }

  func text(_ more: UnsafeRawBufferPointer) throws(Refusal) {
    guard runs.text(more, most: most) else { throw tooMany }
  }

  func end(_ name: ElementName, depth: Int) throws(Refusal) {
    if depth > 2 { return runs.end(name, depth: depth) }
    guard depth == 2, name.is("si") else { return }
    guard bytes.count + runs.bytes.count + 4 * (ends.count + 1) <= most else { throw tooMany }
    bytes += runs.bytes
    ends.append(UInt32(bytes.count))
  }
}
