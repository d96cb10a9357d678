package import Kernel

// What browsers send, read strictly: whatever is not exactly a form is refused with the byte or field that is wrong.

package enum FormLimit {
  /// A form has at most as many fields; the largest of ours has a few hundred items.
  package static let fields = 1000
  /// Bytes of a field's name.
  package static let name = 200
}

private func wrong(_ field: String, _ chinese: String, _ english: String) -> Refusal {
  Refusal(
    .invalid, "web.form", Text("表单无法读取：\(chinese)。", "The form cannot be read: \(english)."),
    faults: [Refusal.Fault(field, Text(chinese, english))])
}

/// `a=1&b=%E4%B8%89+x`: the body of a form, or a query.
package func urlEncodedFields(_ bytes: some Collection<UInt8>) throws(Refusal) -> Fields {
  var pairs: [(name: String, value: String)] = []
  if bytes.isEmpty { return Fields() }
  var offset = 0
  for part in bytes.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false) {
    defer { offset += part.count + 1 }
    if part.isEmpty { continue }
    guard pairs.count < FormLimit.fields else {
      throw wrong("", "字段超过 \(FormLimit.fields) 个", "more than \(FormLimit.fields) fields")
    }
    let equals = part.firstIndex(of: UInt8(ascii: "=")) ?? part.endIndex
    let name = try percentDecoded(part[..<equals], at: offset, field: nil)
    guard name.utf8.count <= FormLimit.name else {
      throw wrong(
        "", "第 \(offset) 字节处的字段名超过 \(FormLimit.name) 字节",
        "the name at byte \(offset) is longer than \(FormLimit.name) bytes")
    }
    let rest = equals == part.endIndex ? part[equals...] : part[part.index(after: equals)...]
    pairs.append(
      (
        name,
        try percentDecoded(rest, at: offset + part.distance(from: part.startIndex, to: rest.startIndex), field: name)
      ))
  }
  return Fields(pairs)
}

/// Plus is a blank, `%XX` a byte; the result must be UTF-8 without NUL.
private func percentDecoded(_ bytes: some Collection<UInt8>, at offset: Int, field: String?) throws(Refusal) -> String {
  var out: [UInt8] = []
  out.reserveCapacity(bytes.count)
  var place = bytes.startIndex
  var position = offset
  while place != bytes.endIndex {
    let byte = bytes[place]
    var step = 1
    if byte == UInt8(ascii: "+") {
      out.append(0x20)
    } else if byte == UInt8(ascii: "%") {
      guard let high = bytes.index(place, offsetBy: 1, limitedBy: bytes.endIndex), high != bytes.endIndex,
        let low = bytes.index(place, offsetBy: 2, limitedBy: bytes.endIndex), low != bytes.endIndex,
        let h = hexValue(bytes[high]), let l = hexValue(bytes[low])
      else {
        throw wrong(
          field ?? "", "第 \(position) 字节处的 % 之后不是两位十六进制", "no two hexadecimal digits after % at byte \(position)")
      }
      out.append(h << 4 | l)
      step = 3
    } else {
      out.append(byte)
    }
    place = bytes.index(place, offsetBy: step)
    position += step
  }
  return try text(out, field: field, at: offset)
}

private func text(_ bytes: some Collection<UInt8>, field: String?, at offset: Int) throws(Refusal) -> String {
  let place = field.map { Text("字段 \($0)", "field \($0)") } ?? Text("第 \(offset) 字节起", "from byte \(offset)")
  guard let text = String(validating: bytes, as: UTF8.self) else {
    throw wrong(field ?? "", "\(place.chinese)：不是 UTF-8", "\(place.english): not UTF-8")
  }
  guard !bytes.contains(0) else {
    throw wrong(field ?? "", "\(place.chinese)：含有空字符", "\(place.english): a NUL character")
  }
  // Here once for every form and query: what limits count as one character must not be a page.
  guard !PlainText.isOverloaded(text) else {
    let most = PlainText.mostScalarsInACharacter
    throw wrong(
      field ?? "", "\(place.chinese)：有一个字由超过 \(most) 个编码（如叠加的符号）组成",
      "\(place.english): one character is made of more than \(most) code points, such as stacked marks")
  }
  return text
}

/// One path from the request line, decoded; nil when it is not one: an escape that is wrong, a NUL, a slash in disguise,
/// or `.` and `..` (browsers resolve those before they send them).
package func decodedPath(_ raw: some StringProtocol) -> String? {
  guard raw.utf8.first == UInt8(ascii: "/") else { return nil }
  var out: [UInt8] = []
  var bytes = raw.utf8.makeIterator()
  while let byte = bytes.next() {
    guard byte == UInt8(ascii: "%") else {
      out.append(byte)
      continue
    }
    guard let high = bytes.next().flatMap(hexValue), let low = bytes.next().flatMap(hexValue) else { return nil }
    let decoded = high << 4 | low
    guard decoded >= 0x20, decoded != 0x7F, decoded != UInt8(ascii: "/"), decoded != UInt8(ascii: "\\") else {
      return nil
    }
    out.append(decoded)
  }
  guard let path = String(validating: out, as: UTF8.self),
    !path.split(separator: "/").contains(where: { $0 == "." || $0 == ".." })
  else { return nil }
  return path
}

/// `multipart/form-data` (RFC 7578): fields, and files with their bytes.
package func multipartForm(_ body: [UInt8], boundary: String) throws(Refusal) -> (fields: Fields, files: [UploadedFile])
{
  guard (1...70).contains(boundary.utf8.count) else {
    throw wrong("", "分隔符长度应为 1 至 70", "the boundary must have 1 to 70 characters")
  }
  let delimiter = Array("\r\n--\(boundary)".utf8)
  // The first delimiter has no line end before it.
  guard body.starts(with: delimiter.dropFirst(2)) else {
    throw wrong("", "开头不是分隔符", "it does not begin with the boundary")
  }
  var position = delimiter.count - 2
  var pairs: [(name: String, value: String)] = []
  var files: [UploadedFile] = []
  while true {
    if body[position...].starts(with: Array("--".utf8)) {
      let rest = body[(position + 2)...]
      guard rest.isEmpty || rest.elementsEqual([13, 10]) else {
        throw wrong("", "结尾之后还有内容", "there is something after the end")
      }
      return (Fields(pairs), files)
    }
    guard body[position...].starts(with: [13, 10]) else {
      throw wrong("", "第 \(position) 字节处应换行", "a line end was expected at byte \(position)")
    }
    position += 2
    guard pairs.count + files.count < FormLimit.fields else {
      throw wrong("", "字段超过 \(FormLimit.fields) 个", "more than \(FormLimit.fields) fields")
    }
    guard let blank = find([13, 10, 13, 10], in: body, from: position, within: 4096) else {
      throw wrong("", "第 \(position) 字节起的段没有头部", "the part at byte \(position) has no header")
    }
    let head = try partHead(body[position..<blank], at: position)
    let start = blank + 4
    guard let end = find(delimiter, in: body, from: start) else {
      throw wrong(head.name, "字段 \(head.name) 没有结束", "field \(head.name) does not end")
    }
    if let file = head.file {
      if !file.isEmpty || end > start {
        files.append(UploadedFile(field: head.name, name: file, type: head.type, bytes: Array(body[start..<end])))
      }
    } else {
      pairs.append((head.name, try text(body[start..<end], field: head.name, at: start)))
    }
    position = end + delimiter.count
  }
}

private struct PartHead {
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
      if let file = head.file, file.utf8.count > 255 {
        throw wrong(name, "文件名超过 255 字节", "the file's name is longer than 255 bytes")
      }
      named = true
    case "content-type": head.type = String(value.trimmingBlanks.prefix(100))
    default: continue
    }
  }
  guard named else { throw wrong("", "第 \(offset) 字节起的段没有字段名", "the part at byte \(offset) has no name") }
  return head
}

/// `form-data; name="a"; filename="b.csv"` → its value and its parameters; quotes as browsers write them (`%22` for `"`).
package struct HeaderParameters {
  package var value: String
  var parameters: [(String, String)] = []
  package subscript(_ name: String) -> String? { parameters.first { $0.0 == name }?.1 }
}

package func headerParameters(_ text: some StringProtocol) -> HeaderParameters {
  var pieces: [String] = [""]
  var quoted = false
  for character in text.unicodeScalars {
    if character == "\"" { quoted.toggle() }
    if character == ";", !quoted {
      pieces.append("")
    } else {
      pieces[pieces.count - 1].unicodeScalars.append(character)
    }
  }
  var header = HeaderParameters(value: pieces[0].trimmingBlanks.lowercased())
  for piece in pieces.dropFirst() {
    guard let equals = piece.firstIndex(of: "=") else { continue }
    var value = piece[piece.index(after: equals)...].trimmingBlanks
    if value.count >= 2, value.first == "\"", value.last == "\"" {
      value = String(value.dropFirst().dropLast())
      for (code, plain) in [("%22", "\""), ("%0D", "\r"), ("%0A", "\n")] {
        value = value.split(separator: code, omittingEmptySubsequences: false).joined(separator: plain)
      }
    }
    header.parameters.append((piece[..<equals].trimmingBlanks.lowercased(), value))
  }
  return header
}

private func find(_ needle: [UInt8], in bytes: [UInt8], from start: Int, within limit: Int = .max) -> Int? {
  guard let first = needle.first, bytes.count >= needle.count else { return nil }
  let last = min(bytes.count - needle.count, limit == .max ? .max : start + limit)
  var place = start
  while place <= last {
    if bytes[place] == first, bytes[place..<place + needle.count].elementsEqual(needle) { return place }
    place += 1
  }
  return nil
}
