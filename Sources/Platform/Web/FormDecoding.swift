package import Kernel

// What browsers send, read strictly: whatever is not exactly a form is refused with the byte or field that is wrong.

package enum FormLimit {
  /// A form has at most as many fields; the largest of ours has a few hundred items.
  package static let fields = 1000
  /// Bytes of a field's name.
  package static let name = 200
  /// Bytes of a file's name: what Windows and macOS let one be, in Chinese.
  package static let fileName = 1024
  /// Bytes of all values of a form that brings files; its files lie on disk and count against the route's limit only.
  package static let values = 256 * 1024
  /// Files of one form; each of ours brings one.
  package static let files = 16
}

/// What a form is refused with.
func wrong(_ field: String, _ chinese: String, _ english: String) -> Refusal {
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

/// A name or value of a form as text.
func text(_ bytes: some Collection<UInt8>, field: String?, at offset: Int) throws(Refusal) -> String {
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
