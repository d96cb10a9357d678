import Foundation
import Kernel
import TestKit

/// Legal persons as a market supervision office might hold them: 12 columns, Chinese text, about 190 bytes a row, one in
/// a thousand with a wrong check digit.
enum Sample {
  static let columns = [
    "id", "uscc", "name", "legal_person", "capital", "established", "address", "industry", "status", "phone", "staff",
    "changed",
  ]

  /// The same as PostgreSQL defines them.
  static let definition =
    "id bigint PRIMARY KEY, uscc varchar(18), name varchar(60), legal_person varchar(20), capital numeric(18,2), established date, address varchar(120), industry varchar(40), status varchar(8), phone varchar(20), staff bigint, changed timestamptz"

  /// A database of PostgreSQL whose table `legal_person` holds so many rows. They are written by a process of their own, so that this one's
  /// memory is what is measured.
  static func database(_ rows: Int, on server: PostgresServer) throws -> String {
    let (name, file) = (try server.makeDatabase(), server.folder + "/sample.tsv")
    try sample(rows, file)
    defer { unlink(file) }
    try server.query("CREATE TABLE legal_person (\(definition))", on: name)
    try shell("psql -q -X -d '\(server.address(of: name))' -c \"\\copy legal_person FROM '\(file)'\"")
    return name
  }

  private static let surnames = Array("王李张刘陈杨赵黄周吴徐孙马朱胡郭何高林罗")
  private static let places = ["西宁市城中区", "海东市乐都区", "海西州格尔木市", "玉树州玉树市", "黄南州同仁市", "海北州海晏县"]
  private static let trades = ["农牧业专业合作社", "建筑工程有限公司", "清洁能源科技有限公司", "盐湖化工有限责任公司", "文化旅游发展有限公司"]

  /// Tab-separated, without a header, in the order of `columns`.
  static func write(_ rows: Int, to path: String) throws {
    _ = FileManager.default.createFile(atPath: path, contents: nil)
    guard let file = FileHandle(forWritingAtPath: path) else { return }
    var text = ""
    for id in 1...rows {
      let place = places[id % places.count]
      let person =
        "\(surnames[id % surnames.count])\(surnames[id / 7 % surnames.count])\(surnames[id / 31 % surnames.count])"
      let day = CalendarDate(daysSince1970: 4000 + id % 14_000)
      text +=
        "\(id)\t\(code(id))\t青海\(person)\(trades[id % trades.count])\t\(person)\t\(id % 90_000).\(10 + id % 90)\t\(day)\t"
      text +=
        "青海省\(place)昆仑大道\(id % 999)号\(id % 33)单元\t\(trades[id / 5 % trades.count])\t存续\t139\(10_000_000 + id % 89_999_999)\t"
      text +=
        "\(id % 5000)\t2026-08-\(10 + id % 20) 0\(id % 10):\(10 + id % 50):\(10 + id / 60 % 50).\(100_000 + id % 899_999)+00\n"
      if text.utf8.count > 1 << 20 {
        file.write(Data(text.utf8))
        text = ""
      }
    }
    file.write(Data(text.utf8))
    try file.close()
  }

  private static let alphabet = Array("0123456789ABCDEFGHJKLMNPQRTUWXY".utf8)
  private static let weights = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28]

  private static func code(_ id: Int) -> String {
    let body = String(10_000_000 + id)
    let head = "91630100" + organisation(body)
    let sum = zip(head.utf8, weights).reduce(0) { $0 + (alphabet.firstIndex(of: $1.0) ?? 0) * $1.1 }
    let check = (31 - sum % 31) % 31
    return head + String(UnicodeScalar(alphabet[id % 1000 == 0 ? (check + 1) % 31 : check]))
  }

  private static func organisation(_ body: String) -> String {
    let sum = zip(body.utf8, [3, 7, 9, 10, 5, 8, 4, 2]).reduce(0) { $0 + Int($1.0 - 48) * $1.1 }
    let check = 11 - sum % 11
    return body + (check == 11 ? "0" : check == 10 ? "X" : "\(check)")
  }
}
