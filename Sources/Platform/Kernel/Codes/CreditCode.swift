/// Unified social credit code of a legal person or other organisation (统一社会信用代码, GB 32100-2015).
///
/// 18 characters: registering department, category, six digits of the registering office's division, the organisation
/// code of nine characters (GB 11714) and a check character. The alphabet leaves out I, O, S, V and Z. The check works
/// modulo the prime 31 with weights 3^(i−1), all different: every single wrong character and every exchange of two among
/// the first seventeen is noticed.
package struct CreditCode: Hashable, Comparable, Sendable {
  package let text: String

  package static let length = 18

  /// Throws the first rule that the text breaks, in the order a person would check it.
  package init(_ text: some StringProtocol) throws(CodeFault) {
    guard !text.isEmpty else { throw .empty }
    guard text.count == Self.length else { throw .length(expected: Self.length, found: text.count) }
    if let fault = firstForeign(
      in: text, allowed: { (3...8).contains($1) ? $0.decimalDigit != nil : Self.value(of: $0) < 31 })
    {
      throw fault
    }
    let bytes = Array(text.utf8)
    guard let categories = Self.categories(of: bytes[0]) else { throw .department(bytes[0].character) }
    guard categories.contains(where: { $0.code == bytes[1] }) else {
      throw .category(bytes[1].character, department: bytes[0].character)
    }
    let check = Self.checkCharacter(of: bytes[0..<17])
    guard check == bytes[17] else { throw .check(expected: check.character, found: bytes[17].character) }
    self.text = String(text)
  }

  /// For a column that only ever held checked codes.
  package init(trusted text: String) { self.text = text }

  /// Makes a code with its check characters from the first eight of its organisation code. For fictitious ones that is
  /// `PDY00001` to `PDY99999`, which GB 11714 leaves to users and the registry never hands out.
  package static func make(
    department: Character, category: Character, division: String, organisation body: String
  ) throws(CodeFault) -> CreditCode {
    let organisation = try OrganisationCode.make(body)
    let head = "\(department)\(category)\(division)\(organisation.text)"
    guard head.utf8.count == 17 else { throw .length(expected: 17, found: head.count) }
    if let fault = firstForeign(in: head, allowed: { byte, _ in value(of: byte) < 31 }) { throw fault }
    return try CreditCode(head + String(checkCharacter(of: Array(head.utf8)[...]).character))
  }

  package var department: Character { text.first! }
  package var category: Character { Character(String(text.dropFirst().prefix(1))) }
  /// The registering office's division, six digits. Not always in GB/T 2260: offices of development zones have numbers of
  /// their own, and old numbers stay.
  package var division: String { String(text.dropFirst(2).prefix(6)) }
  /// Characters 9 to 17. Nil when they are no organisation code: some codes given out before 2015 were assigned anew, so
  /// this is a reason to look, not to refuse.
  package var organisation: OrganisationCode? { try? OrganisationCode(text.dropFirst(8).prefix(9)) }
  /// Organs of state, institutions and groups run by the staffing office (机构编制): what a data provider normally is.
  package var isPublicBody: Bool { department == "1" }

  package static func < (a: CreditCode, b: CreditCode) -> Bool { a.text < b.text }

  // MARK: - Bytes

  /// Whether these bytes (ASCII or UTF-8) are a code, all rules included. Allocates nothing: the transfer engine asks
  /// this for every row.
  package static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count == length, hasCategory(bytes[0], bytes[1]) else { return false }
    for index in 2..<8 where bytes[index] &- 48 > 9 { return false }
    // Horner from the back gives Σ value·3^(i−1); 17 digits below 31 stay under 2³³.
    var sum = 0
    var index = 16
    while index >= 0 {
      let value = value(of: bytes[index])
      guard value < 31 else { return false }
      sum = sum &* 3 &+ value
      index &-= 1
    }
    let check = value(of: bytes[17])
    return check < 31 && (sum &+ check) % 31 == 0
  }

  package static func isValid(_ bytes: Span<UInt8>) -> Bool { bytes.withUnsafeBytes { isValid($0) } }

  /// The check character of the first seventeen, which must all be of the alphabet.
  package static func checkCharacter(of bytes: ArraySlice<UInt8>) -> UInt8 {
    let sum = bytes.reversed().reduce(0) { $0 * 3 + value(of: $1) }
    return alphabet.utf8Start[(31 - sum % 31) % 31]
  }

  private static let alphabet: StaticString = "0123456789ABCDEFGHJKLMNPQRTUWXY"

  /// The character's value by GB 32100 table 2, or 255.
  @inline(__always) package static func value(of byte: UInt8) -> Int {
    if byte &- 48 < 10 { return Int(byte &- 48) }
    guard byte >= UInt8(ascii: "A"), byte <= UInt8(ascii: "Y") else { return 255 }
    switch byte {
    case UInt8(ascii: "I"), UInt8(ascii: "O"), UInt8(ascii: "S"), UInt8(ascii: "V"): return 255
    default:
      let skipped =
        (byte > UInt8(ascii: "I") ? 1 : 0) + (byte > UInt8(ascii: "O") ? 1 : 0)
        + (byte > UInt8(ascii: "S") ? 1 : 0) + (byte > UInt8(ascii: "V") ? 1 : 0)
      return Int(byte) - 55 - skipped
    }
  }
}

extension CreditCode: CustomStringConvertible {
  package var description: String { text }
}

// MARK: - Departments and categories (GB 32100-2015 table 1, with the later numbers in use)

extension CreditCode {
  package struct Category: Sendable {
    package let code: UInt8
    package let name: Text
  }

  package var departmentName: Text { Self.departmentName(text.utf8.first!) ?? Text(same: String(department)) }
  package var categoryName: Text {
    let bytes = Array(text.utf8.prefix(2))
    return Self.categories(of: bytes[0])?.first { $0.code == bytes[1] }?.name ?? Text(same: String(category))
  }

  static func departmentName(_ byte: UInt8) -> Text? {
    switch byte {
    case UInt8(ascii: "1"): Text("机构编制", "Staffing office")
    case UInt8(ascii: "2"): Text("外交", "Foreign affairs")
    case UInt8(ascii: "3"): Text("司法行政", "Justice administration")
    case UInt8(ascii: "4"): Text("文化", "Culture")
    case UInt8(ascii: "5"): Text("民政", "Civil affairs")
    case UInt8(ascii: "6"): Text("旅游", "Tourism")
    case UInt8(ascii: "7"): Text("宗教", "Religious affairs")
    case UInt8(ascii: "8"): Text("工会", "Trade unions")
    case UInt8(ascii: "9"): Text("市场监管", "Market regulation")
    case UInt8(ascii: "A"): Text("中央军委", "Central Military Commission")
    case UInt8(ascii: "N"): Text("农业", "Agriculture")
    case UInt8(ascii: "Y"): Text("其他", "Other")
    default: nil
    }
  }

  /// Nil for a character that names no department.
  package static func categories(of department: UInt8) -> [Category]? {
    func list(_ names: (Unicode.Scalar, String, String)...) -> [Category] {
      names.map { Category(code: UInt8(ascii: $0.0), name: Text($0.1, $0.2)) }
    }
    return switch department {
    case UInt8(ascii: "1"):
      list(
        ("1", "机关", "Organ of state"), ("2", "事业单位", "Public institution"),
        ("3", "编办直接管理机构编制的群众团体", "Mass organisation under the staffing office"), ("9", "其他", "Other"))
    case UInt8(ascii: "2"): list(("1", "外国常驻新闻机构", "Resident foreign news office"), ("9", "其他", "Other"))
    case UInt8(ascii: "3"):
      list(
        ("1", "律师执业机构", "Law firm"), ("2", "公证处", "Notary office"),
        ("3", "基层法律服务所", "Local legal service office"), ("4", "司法鉴定机构", "Forensic institution"),
        ("5", "仲裁委员会", "Arbitration commission"), ("9", "其他", "Other"))
    case UInt8(ascii: "4"): list(("1", "外国在华文化中心", "Foreign cultural centre"), ("9", "其他", "Other"))
    case UInt8(ascii: "5"):
      list(
        ("1", "社会团体", "Social group"), ("2", "民办非企业单位", "Private non-enterprise unit"), ("3", "基金会", "Foundation"),
        ("9", "其他", "Other"))
    case UInt8(ascii: "6"):
      list(
        ("1", "外国旅游部门常驻代表机构", "Resident office of a foreign tourism board"),
        ("2", "港澳台地区旅游部门常驻内地（大陆）代表机构", "Resident office of a Hong Kong, Macao or Taiwan tourism board"),
        ("9", "其他", "Other"))
    case UInt8(ascii: "7"):
      list(("1", "宗教活动场所", "Place of worship"), ("2", "宗教院校", "Religious school"), ("9", "其他", "Other"))
    case UInt8(ascii: "8"): list(("1", "基层工会", "Local trade union"), ("9", "其他", "Other"))
    case UInt8(ascii: "9"):
      list(
        ("1", "企业", "Enterprise"), ("2", "个体工商户", "Individual business"),
        ("3", "农民专业合作社", "Farmers' co-operative"))
    case UInt8(ascii: "A"): list(("1", "军队事业单位", "Military institution"), ("9", "其他", "Other"))
    case UInt8(ascii: "N"):
      list(
        ("1", "组级集体经济组织", "Collective of a group"), ("2", "村级集体经济组织", "Collective of a village"),
        ("3", "乡镇级集体经济组织", "Collective of a township"), ("9", "其他", "Other"))
    case UInt8(ascii: "Y"): list(("1", "其他", "Other"))
    default: nil
    }
  }

  /// The same table for the hot path; a test holds the two together.
  @inline(__always) package static func hasCategory(_ department: UInt8, _ category: UInt8) -> Bool {
    let digit = category &- 48
    switch department {
    case UInt8(ascii: "1"), UInt8(ascii: "5"), UInt8(ascii: "N"): return (1...3).contains(digit) || digit == 9
    case UInt8(ascii: "3"): return (1...5).contains(digit) || digit == 9
    case UInt8(ascii: "6"), UInt8(ascii: "7"): return (1...2).contains(digit) || digit == 9
    case UInt8(ascii: "2"), UInt8(ascii: "4"), UInt8(ascii: "8"), UInt8(ascii: "A"): return digit == 1 || digit == 9
    case UInt8(ascii: "9"): return (1...3).contains(digit)
    case UInt8(ascii: "Y"): return digit == 1
    default: return false
    }
  }
}
