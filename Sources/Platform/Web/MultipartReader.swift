package import Kernel

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Reads `multipart/form-data` (RFC 7578) as it comes, in pieces of any size: values are kept, what belongs to files is
/// handed on at once, so that a file of any size takes no more memory than a piece.
package struct MultipartReader: Sendable {
  package enum Event: Hashable, Sendable {
    /// A file begins; its content follows.
    case file(field: String, name: String, type: String)
    case content([UInt8])
    case fileEnd
  }

  private enum Place {
    case start
    case afterDelimiter
    case head
    case value(PartHead)
    /// `isOpen`: it was announced; one without name and content was not chosen and is none.
    case file(PartHead, isOpen: Bool)
    case end
  }

  private static let longestHead = 4096

  /// The values so far, in the order they came.
  package private(set) var fields = Fields()
  private let delimiter: [UInt8]
  private var place = Place.start
  /// What came and is not understood yet.
  private var pending: [UInt8] = []
  private var position = 0
  /// Bytes before `pending`.
  private var passed = 0
  private var files = 0
  private var valueBytes = 0

  package init(boundary: String) throws(Refusal) {
    guard (1...70).contains(boundary.utf8.count) else {
      throw wrong("", "分隔符长度应为 1 至 70", "the boundary must have 1 to 70 characters")
    }
    delimiter = Array("\r\n--\(boundary)".utf8)
  }

  /// What the next piece brings of files. Throws on the first byte that is no such form, and beyond `FormLimit`.
  package mutating func take(_ piece: some Sequence<UInt8>) throws(Refusal) -> [Event] {
    pending += piece
    var events: [Event] = []
    while try step(&events) {}
    passed += position
    pending.removeFirst(position)
    position = 0
    return events
  }

  /// Throws when it does not end where the last piece did.
  package func finish() throws(Refusal) {
    switch place {
    case .start: throw wrong("", "开头不是分隔符", "it does not begin with the boundary")
    case .afterDelimiter: throw wrong("", "第 \(passed) 字节处应换行", "a line end was expected at byte \(passed)")
    case .head: throw wrong("", "第 \(passed) 字节起的段没有头部", "the part at byte \(passed) has no header")
    case .value(let head), .file(let head, _):
      throw wrong(head.name, "字段 \(head.name) 没有结束", "field \(head.name) does not end")
    case .end:
      guard pending.isEmpty || pending == [13, 10] else { throw Self.afterEnd }
    }
  }

  /// Whether more can be understood of what is pending.
  private mutating func step(_ events: inout [Event]) throws(Refusal) -> Bool {
    let rest = pending.count - position
    switch place {
    case .start:
      // The first delimiter has no line end before it.
      guard rest >= delimiter.count - 2 else { return false }
      guard pending.starts(with: delimiter.dropFirst(2)) else {
        throw wrong("", "开头不是分隔符", "it does not begin with the boundary")
      }
      position += delimiter.count - 2
      place = .afterDelimiter
    case .afterDelimiter:
      guard rest >= 2 else { return false }
      let next = pending[position..<position + 2]
      guard next.elementsEqual("--".utf8) || next.elementsEqual([13, 10]) else {
        let byte = passed + position
        throw wrong("", "第 \(byte) 字节处应换行", "a line end was expected at byte \(byte)")
      }
      position += 2
      place = next.first == 13 ? .head : .end
    case .head: return try readHead()
    case .value(let head): return try readValue(head)
    case .file(let head, let isOpen): return readFile(head, isOpen: isOpen, &events)
    case .end:
      guard rest <= 2 else { throw Self.afterEnd }
      return false
    }
    return true
  }

  private mutating func readHead() throws(Refusal) -> Bool {
    let start = passed + position
    guard fields.pairs.count + files < FormLimit.fields else {
      throw wrong("", "字段超过 \(FormLimit.fields) 个", "more than \(FormLimit.fields) fields")
    }
    guard let blank = find([13, 10, 13, 10]), blank - position <= Self.longestHead else {
      guard pending.count - position < Self.longestHead + 4 else {
        throw wrong("", "第 \(start) 字节起的段没有头部", "the part at byte \(start) has no header")
      }
      return false
    }
    let head = try partHead(pending[position..<blank], at: start)
    position = blank + 4
    if head.file == nil {
      place = .value(head)
    } else {
      files += 1
      guard files <= FormLimit.files else {
        throw wrong(head.name, "文件超过 \(FormLimit.files) 个", "more than \(FormLimit.files) files")
      }
      place = .file(head, isOpen: false)
    }
    return true
  }

  private mutating func readValue(_ head: PartHead) throws(Refusal) -> Bool {
    let end = find(delimiter)
    guard valueBytes + (end ?? pending.count) - position <= FormLimit.values else {
      throw Refusal(
        .tooLarge, "web.form.values",
        Text(
          "表单中文件以外的内容超过 \(FormLimit.values >> 10) KiB。",
          "What the form says beside its files is larger than \(FormLimit.values >> 10) KiB."))
    }
    guard let end else { return false }
    valueBytes += end - position
    fields.pairs.append((head.name, try text(pending[position..<end], field: head.name, at: passed + position)))
    position = end + delimiter.count
    place = .afterDelimiter
    return true
  }

  private mutating func readFile(_ head: PartHead, isOpen: Bool, _ events: inout [Event]) -> Bool {
    let end = find(delimiter)
    // What may be the beginning of a delimiter waits for the rest of it.
    let known = end ?? max(position, pending.count - delimiter.count + 1)
    let isChosen = isOpen || head.file != "" || known > position
    if isChosen, !isOpen {
      events.append(.file(field: head.name, name: head.file ?? "", type: head.type))
      place = .file(head, isOpen: true)
    }
    if known > position { events.append(.content(Array(pending[position..<known]))) }
    position = known
    guard let end else { return false }
    if isChosen { events.append(.fileEnd) }
    position = end + delimiter.count
    place = .afterDelimiter
    return true
  }

  /// Where `needle` begins in what is pending.
  private func find(_ needle: [UInt8]) -> Int? {
    pending.withUnsafeBytes { bytes in
      var start = position
      // By the C library: a file is looked through byte by byte.
      while start + needle.count <= bytes.count, let base = bytes.baseAddress,
        let hit = memchr(base + start, Int32(needle[0]), bytes.count - needle.count + 1 - start)
      {
        let found = base.distance(to: UnsafeRawPointer(hit))
        if memcmp(hit, needle, needle.count) == 0 { return found }
        start = found + 1
      }
      return nil
    }
  }

  private static var afterEnd: Refusal { wrong("", "结尾之后还有内容", "there is something after the end") }
}

struct PartHead: Sendable {
  var name = ""
  var file: String?
  var type = "application/octet-stream"
}

private func partHead(_ bytes: ArraySlice<UInt8>, at offset: Int) throws(Refusal) -> PartHead {
  let lines = try text(bytes, field: nil, at: offset).split(separator: "\r\n", omittingEmptySubsequences: false)
  var head = PartHead()
  var named = false
  for line in lines {
    guard let colon = line.firstIndex(of: ":") else {
      throw wrong("", "第 \(offset) 字节起的段头有误", "a wrong header in the part at byte \(offset)")
    }
    let value = line[line.index(after: colon)...]
    switch line[..<colon].lowercased() {
    case "content-disposition":
      let parameters = headerParameters(value)
      guard parameters.value == "form-data", let name = parameters["name"], !name.isEmpty else {
        throw wrong("", "第 \(offset) 字节起的段没有字段名", "the part at byte \(offset) has no name")
      }
      guard name.utf8.count <= FormLimit.name else {
        throw wrong(
          "", "第 \(offset) 字节处的字段名超过 \(FormLimit.name) 字节",
          "the name at byte \(offset) is longer than \(FormLimit.name) bytes")
      }
      head.name = name
      // Only the last component: some browsers once sent whole paths.
      head.file = parameters["filename"].map { String($0.split { $0 == "/" || $0 == "\\" }.last ?? "") }
      if let file = head.file, file.utf8.count > FormLimit.fileName {
        throw wrong(
          name, "文件名超过 \(FormLimit.fileName) 字节（约 \(FormLimit.fileName / 3) 个汉字），请改短后再上传",
          "the file's name is longer than \(FormLimit.fileName) bytes; shorten it and send the file again")
      }
      named = true
    case "content-type": head.type = String(value.trimmingBlanks.prefix(100))
    default: continue
    }
  }
  guard named else { throw wrong("", "第 \(offset) 字节起的段没有字段名", "the part at byte \(offset) has no name") }
  return head
}
