import Connecting
package import Kernel

/// Where something stands in a file: the byte counted from nought, the line from one (line feeds before it, and one).
package struct FilePlace: Hashable, Sendable {
  package var byte: Int
  package var line: Int

  package init(byte: Int, line: Int) {
    self.byte = byte
    self.line = line
  }

  var text: Text { Text("第 \(line) 行、字节 \(byte)（从 0 起）", "line \(line), byte \(byte) (from 0)") }
}

/// Why a file is refused. A table that is torn somewhere is refused whole, before its first row is delivered: half a
/// register would look like a register.
package enum CSVFault: Error, Hashable, Sendable {
  case invalidUTF8(FilePlace)
  case invalidGB18030(FilePlace)
  case invalidUTF16(FilePlace)
  /// Neither of the two encodings a file without a byte-order mark may have.
  case unknownEncoding(utf8: FilePlace, gb18030: FilePlace)
  /// UTF-8 for the greater part, and GB18030 from this place on or here alone.
  case mixedEncodings(FilePlace)
  case nul(FilePlace)
  case unclosedQuote(FilePlace)
  case textAfterQuote(FilePlace)
  case quoteInsideField(FilePlace)
  case bareReturn(FilePlace)
  case fieldCount(FilePlace, expected: Int, found: Int)
  case rowTooLong(FilePlace)
  case tooManyColumns(FilePlace)
  case noHeader
  case emptyColumnName(number: Int)
  case columnNameTooLong(number: Int)
  case repeatedColumn(String)

  package var code: String {
    switch self {
    case .invalidUTF8, .invalidGB18030, .invalidUTF16, .unknownEncoding, .mixedEncodings: "csv.encoding"
    case .nul: "csv.nul"
    case .unclosedQuote: "csv.unclosed-quote"
    case .textAfterQuote: "csv.text-after-quote"
    case .quoteInsideField: "csv.quote-inside-field"
    case .bareReturn: "csv.bare-return"
    case .fieldCount: "csv.field-count"
    case .rowTooLong: "csv.row-too-long"
    case .tooManyColumns: "csv.too-many-columns"
    case .noHeader, .emptyColumnName, .columnNameTooLong, .repeatedColumn: "csv.header"
    }
  }

  package var message: Text {
    switch self {
    case .invalidUTF8(let place):
      at(place, "不是有效的 UTF-8，请按 UTF-8 或 GB18030 重新导出", "not valid UTF-8; export the file again as UTF-8 or GB18030")
    case .invalidGB18030(let place):
      at(place, "不是有效的 GB18030，请按 UTF-8 或 GB18030 重新导出", "not valid GB18030; export the file again as UTF-8 or GB18030")
    case .invalidUTF16(let place):
      at(place, "不是有效的 UTF-16，请按 UTF-8 重新导出", "not valid UTF-16; export the file again as UTF-8")
    case .unknownEncoding(let utf8, let gb18030):
      Text(
        "无法识别编码：作为 UTF-8，\(utf8.text.chinese) 出错；作为 GB18030，\(gb18030.text.chinese) 出错。请按其中一种重新导出。",
        "Unknown encoding: as UTF-8 it is wrong at \(utf8.text.english), as GB18030 at \(gb18030.text.english). "
          + "Export the file again as one of them.")
    case .mixedEncodings(let place):
      at(
        place, "其余部分是 UTF-8，此处不是（可能混入了 GBK 内容）；请把整个文件按 UTF-8 重新导出，整个文件确是 GB18030 的，在数据源设置里写明编码",
        "not UTF-8, which the rest of the file is (perhaps GBK was mixed in); export all of it again as UTF-8, or name the encoding in the source's settings where all of it really is GB18030"
      )
    case .nul(let place):
      at(place, "含有空字符（NUL）；若为 UTF-16，文件开头须有 BOM", "a NUL; a UTF-16 file must begin with a byte-order mark")
    case .unclosedQuote(let place): at(place, "此处的引号没有结束", "the quote opened here is never closed")
    case .textAfterQuote(let place):
      at(place, "右引号之后应为分隔符或换行", "after a closing quote comes a separator or the line's end")
    case .quoteInsideField(let place):
      at(place, "未加引号的字段里出现引号，应整体加引号并写成两个", "a quote in an unquoted field; quote the field and double it")
    case .bareReturn(let place): at(place, "单独的回车符（CR）；行应以 LF 或 CRLF 结束", "a lone CR; lines end with LF or CRLF")
    case .fieldCount(let place, let expected, let found):
      at(place, "应有 \(expected) 个字段，实有 \(found) 个", "\(expected) fields expected, \(found) found")
    case .rowTooLong(let place):
      at(place, "这一行超过 1 MiB，可能是引号没有结束", "this row is longer than 1 MiB; perhaps a quote is never closed")
    case .tooManyColumns(let place): at(place, "超过 1000 列", "more than 1000 columns")
    case .noHeader: Text("文件是空的：第一行应为列名。", "The file is empty: its first line must name the columns.")
    case .emptyColumnName(let number): Text("第 \(number) 列没有名称。", "Column \(number) has no name.")
    case .columnNameTooLong(let number):
      Text("第 \(number) 列的名称超过 128 个字符。", "The name of column \(number) is longer than 128 characters.")
    case .repeatedColumn(let name): Text("列名“\(name)”重复。", "The column name “\(name)” stands twice.")
    }
  }

  private func at(_ place: FilePlace, _ chinese: String, _ english: String) -> Text {
    Text("\(place.text.chinese)：\(chinese)。", "At \(place.text.english): \(english).")
  }

  var error: ConnectorError { ConnectorError(.data, code, message) }
}
