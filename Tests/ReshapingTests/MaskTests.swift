import Connecting
import Kernel
import NationalCrypto
import Testing

@testable import Reshaping

@Suite struct MaskTests {
  private static let key128 = "2B7E151628AED2A6ABF7158809CF4F3C"
  private static let key192 = "2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F"
  private static let key256 = "2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94"
  private static let tweak = "39383736353433323130"
  private static let tweak36 = "3737373770717273373737"

  /// NIST's published samples for FF1 (Cryptographic Standards and Guidelines, Examples with Intermediate Values).
  @Test(arguments: [
    (BlockCipher.Algorithm.aes128, key128, 10, "", "0123456789", "2433477484"),
    (.aes128, key128, 10, tweak, "0123456789", "6124200773"),
    (.aes128, key128, 36, tweak36, "0123456789abcdefghi", "a9tv40mll9kdu509eum"),
    (.aes192, key192, 10, "", "0123456789", "2830668132"), (.aes192, key192, 10, tweak, "0123456789", "2496655549"),
    (.aes192, key192, 36, tweak36, "0123456789abcdefghi", "xbj3kv35jrawxv32ysr"),
    (.aes256, key256, 10, "", "0123456789", "6657667009"), (.aes256, key256, 10, tweak, "0123456789", "1001623463"),
    (.aes256, key256, 36, tweak36, "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"),
  ])
  func `FF1 over AES gives NIST's samples`(
    algorithm: BlockCipher.Algorithm, key: String, radix: Int, tweak: String, plain: String, cipher: String
  ) throws {
    let box = FormatPreserving(
      try #require(BlockCipher(algorithm, key: [UInt8](hex: key) ?? [])), radix: radix)
    let tweak = try #require([UInt8](hex: tweak))
    func numerals(_ text: String) -> [UInt16] { text.map { UInt16($0.hexDigitValue ?? Int($0.asciiValue! - 87)) } }
    var x = numerals(plain)
    box.encrypt(&x, tweak: tweak)
    #expect(x == numerals(cipher))
    box.decrypt(&x, tweak: tweak)
    #expect(x == numerals(plain))
  }

  @Test func `SM4 block by block is the standard's`() throws {
    let key = try #require([UInt8](hex: "0123456789abcdeffedcba9876543210"))
    var block = key
    try #require(BlockCipher(.sm4, key: key)).encrypt(block.withUnsafeMutableBytes { $0.baseAddress! })
    #expect(block.hex == "681edf34d206965e86b3e94f536e4246")
    #expect(BlockCipher(.sm4, key: [1]) == nil)
  }

  private func sm4(_ radix: Int) -> FormatPreserving {
    FormatPreserving(BlockCipher(.sm4, key: Array("0123456789abcdef".utf8))!, radix: radix)
  }

  @Test func `on a small domain it is a permutation, another for another tweak`() {
    let box = sm4(10)
    var seen = Set<[UInt16]>()
    var moved = 0
    for number in 0..<1000 {
      let x: [UInt16] = [UInt16(number / 100), UInt16(number / 10 % 10), UInt16(number % 10)]
      var y = x
      box.encrypt(&y, tweak: [1])
      seen.insert(y)
      var z = x
      box.encrypt(&z, tweak: [2])
      if y != z { moved += 1 }
      box.decrypt(&y, tweak: [1])
      #expect(y == x)
    }
    #expect(seen.count == 1000 && moved > 950)
    // Cycle walking over a size that is no power of two.
    let bits = sm4(2)
    let images = Set((0..<1500).map { bits.permute(UInt128($0), below: 1500, tweak: [], forwards: true) })
    #expect(images.count == 1500 && images.max() == 1499)
  }

  @Test func `every length and radix goes there and back`() {
    var dice = Dice(3)
    for radix in [2, 10, 26, 36, 255, 4096, 65_536] {
      let box = sm4(radix)
      for length in [
        box.lengths.lowerBound, box.lengths.lowerBound + 1, box.lengths.upperBound - 1, box.lengths.upperBound,
      ] {
        for _ in 0..<20 {
          let x = (0..<length).map { _ in UInt16(Int.random(in: 0..<radix, using: &dice)) }
          var y = x
          box.encrypt(&y, tweak: Array(repeating: 7, count: length % 40))
          #expect(y.allSatisfy { Int($0) < radix } && y != x)
          box.decrypt(&y, tweak: Array(repeating: 7, count: length % 40))
          #expect(y == x)
        }
      }
    }
  }

  private func tokens(_ kind: ValueMask.Token, _ key: String = "0123456789abcdef", _ tweak: String = "grant item")
    -> Tokens
  {
    Tokens(kind, key: Array(key.utf8), tweak: Array(tweak.utf8))!
  }

  private func make(_ tokens: Tokens, _ text: String) -> String {
    let (bytes, fault) = Array(text.utf8).withUnsafeBytes { tokens.make($0) }
    return fault?.code ?? String(decoding: bytes, as: UTF8.self)
  }

  private func undo(_ tokens: Tokens, _ text: String) -> String {
    let (bytes, fault) = Array(text.utf8).withUnsafeBytes { tokens.undo($0) }
    return fault?.code ?? String(decoding: bytes, as: UTF8.self)
  }

  @Test func `a citizen's token has the form and the check character, and is nobody's`() throws {
    let tokens = tokens(.citizenID)
    let today = CalendarDate(year: 2026, month: 8, day: 22)!
    var seen = Set<String>()
    var dice = Dice(11)
    for _ in 0..<2000 {
      let born = CalendarDate(daysSince1970: Int.random(in: -40_000..<20_000, using: &dice))
      let head =
        "6301\(Int.random(in: 10...29, using: &dice))" + "\(born)".filter { $0 != "-" }
        + "\(Int.random(in: 100...999, using: &dice))"
      let number = head + String(UnicodeScalar(CitizenID.checkCharacter(of: Array(head.utf8)[...])))
      _ = try CitizenID(number, on: today)
      let token = make(tokens, number)
      #expect(token.count == 18 && undo(tokens, token) == number && make(tokens, number) == token)
      #expect(CitizenID.checkCharacter(of: Array(token.utf8)[0..<17]) == Array(token.utf8)[17])
      let digits = Array(token.utf8)
      #expect(!isProvince(Int(digits[0] - 48) * 10 + Int(digits[1] - 48)) && digits[0] != UInt8(ascii: "9"))
      #expect(throws: CodeFault.self) { try CitizenID(token, on: today) }
      seen.insert(token)
    }
    #expect(seen.count > 1990)
    #expect(
      make(tokens, "630102199003077212") == "check-digit" && make(tokens, "63010219900307721") == "malformed-code")
    let own = make(tokens, "630102199003077211")
    #expect(make(self.tokens(.citizenID, "fedcba9876543210"), "630102199003077211") != own)
    #expect(make(self.tokens(.citizenID, "0123456789abcdef", "grant other"), "630102199003077211") != own)
  }

  @Test func `a credit code's token has a right check character and no department`() throws {
    let tokens = tokens(.creditCode)
    for code in [
      "11100000000013338W", "11100000MB03271699", "91350100M000100Y43", "9144030071526726XG", "91630100MA75000A6M",
    ] {
      let token = make(tokens, code)
      #expect(token.utf8.count == 18 && undo(tokens, token) == code)
      #expect(CreditCode.checkCharacter(of: Array(token.utf8)[0..<17]) == Array(token.utf8)[17])
      #expect(throws: CodeFault.self) { try CreditCode(token) }
      #expect(!CreditCode.hasCategory(Array(token.utf8)[0], Array(token.utf8)[1]))
    }
    #expect(
      make(tokens, "11100000000013338X") == "check-digit" && make(tokens, "X1100000000013338W") == "malformed-code")
  }

  @Test func `numbers become others of the same length`() {
    let (mobile, digits) = (tokens(.mobile), tokens(.digits))
    let token = make(mobile, "13909711234")
    #expect(token.count == 11 && token.hasPrefix("2") && undo(mobile, token) == "13909711234")
    #expect(make(mobile, "03909711234") == "malformed-code" && make(mobile, "1390971123") == "malformed-code")
    for length in 6...70 {
      let text = String(repeating: "7", count: length)
      let token = make(digits, text)
      #expect(token.count == length && token != text && undo(digits, token) == text)
    }
    #expect(
      make(digits, "12345") == "cannot-mask" && make(digits, "12345x") == "malformed-code" && make(digits, "") == "")
  }

  @Test(arguments: [
    "张三", "王小明", "欧阳𠮷祥", "青海省西宁市城中区昆仑大道12号3单元", "abc-DEF 123", "ＡＢ１２３号楼", "尼玛次仁·扎西", "㑇㑇㑇", "龘䶮龘",
    "2026（青）0001号-甲乙丙", String(repeating: "三江源", count: 40),
  ])
  func `a text becomes another, kind by kind`(text: String) throws {
    let tokens = tokens(.text)
    let token = make(tokens, text)
    #expect(token != text && undo(tokens, token) == text && token.utf8.count == text.utf8.count)
    func kinds(_ text: String) -> [String] {
      text.unicodeScalars.map { scalar in
        if scalar.value >= 0x3400, let place = HanClasses.place(of: scalar.value) { return "han\(place.kind)" }
        if ("0"..."9").contains(scalar) { return "digit" }
        if ("A"..."Z").contains(scalar) { return "upper" }
        if ("a"..."z").contains(scalar) { return "lower" }
        return scalar.value >= 0xFF10 && scalar.value < 0xFF60 && !"（）".unicodeScalars.contains(scalar)
          ? "wide" : "\(scalar)"
      }
    }
    #expect(kinds(token) == kinds(text))
    // Nothing of a long text's beginning shows: one other character at its end changes all of it.
    if text.count > 100 {
      let other = make(tokens, String(text.dropLast()) + "头")
      #expect(zip(token, other).filter { $0 == $1 }.count < 5)
    }
  }

  @Test func `what could be tried out or would show letters is refused`() {
    let tokens = tokens(.text)
    for text in ["无", "5号", "ab1", "---", "བཀྲ་ཤིས", "Ünüöäß"] { #expect(make(tokens, text) == "cannot-mask") }
    #expect(make(tokens, "") == "")
  }

  @Test func `the classes of Han characters are what tokens were made of`() {
    #expect(HanClasses.common.count == 3755 && Set(HanClasses.common).count == 3755)
    #expect(HanClasses.common.first == 0x554A && HanClasses.common.last == 0x5EA7)
    for scalar in stride(from: UInt32(0x4E00), through: 0x9FFF, by: 1) {
      let place = HanClasses.place(of: scalar)
      #expect(place.map { HanClasses.scalar($0.kind, $0.index) } == scalar)
    }
  }

  // MARK: Generalising

  private func masked(_ mask: ValueMask, _ type: ValueType, _ value: Value) throws -> String {
    let masker = try #require(Masker(mask, type: type, key: Array("0123456789abcdef".utf8), tweak: [1]))
    let row = TestRow([ExpressionColumn("x", type)])
    _ = row.load([value])
    guard let bytes = row.fields.value(0) else { return "NULL" }
    let room = UnsafeMutableRawPointer.allocate(byteCount: bytes.count + masker.growth, alignment: 16)
    defer { room.deallocate() }
    let (length, fault) = masker.apply(bytes, room)
    if let fault { return fault.code }
    let result = try #require(mask.facts(for: type)).type
    return length < 0
      ? "NULL" : CanonicalText.text(of: UnsafeRawBufferPointer(start: room, count: length), as: result) ?? "unreadable"
  }

  @Test(arguments: [
    (ValueMask.period(.year), ValueType.date, Value.date("1985-03-09"), "1985"),
    (.period(.month), .date, .date("1985-03-09"), "1985-03"),
    (.period(.quarter), .date, .date("1985-12-31"), "1985Q4"), (.period(.decade), .date, .date("1985-03-09"), "198X"),
    (.period(.month), .timestamp, .timestamp("2026-01-01 00:10:00"), "2026-01"),
    (.ageBand(width: 10, on: CalendarDate("2026-01-01")!), .date, .date("1990-03-07"), "30-39"),
    (.ageBand(width: 5, on: CalendarDate("2026-01-01")!), .date, .date("2026-01-01"), "0-4"),
    (.ageBand(width: 5, on: CalendarDate("2026-01-01")!), .date, .date("2026-01-02"), "date-out-of-range"),
    (.ageBand(width: 5, on: CalendarDate("2026-01-01")!), .date, .date("0001-01-01"), "date-out-of-range"),
    (.ageBand(width: 50, on: CalendarDate("2026-01-01")!), .date, .date("1077-01-01"), "900-949"),
    (.place(.province), .text, .text("630102"), "630000"),
    (.place(.prefecture), .text, .text("632801001002"), "632800000000"),
    (.place(.county), .text, .text("632801001"), "632801000"), (.place(.county), .text, .text("6301"), "cannot-mask"),
    (.address(.prefecture), .text, .text("青海省海西蒙古族藏族自治州格尔木市昆仑路1号"), "青海省海西蒙古族藏族自治州"),
    (.address(.county), .text, .text("青海省海西蒙古族藏族自治州格尔木市昆仑路1号"), "青海省海西蒙古族藏族自治州格尔木市"),
    (.address(.county), .text, .text("西宁市城中区南大街1号"), "西宁市城中区"), (.address(.province), .text, .text("青海省西宁市"), "青海省"),
    (.address(.county), .text, .text("北京市海淀区中关村"), "北京市海淀区"), (.address(.prefecture), .text, .text("北京市海淀区中关村"), "北京市"),
    (.address(.county), .text, .text("青海省西宁市湟中县多巴镇"), "青海省西宁市湟中县"),
    (.address(.prefecture), .text, .text("昆仑路1号"), "NULL"),
    (.cut(2), .text, .text("三江源"), "三江"), (.cut(5), .text, .text("三江"), "三江"),
    (.band([0, 100_000, 500_000]), .decimal(precision: 18, scale: 2), .decimal("99999.99"), "0-10万"),
    (.band([0, 100_000, 500_000]), .decimal(precision: 18, scale: 2), .decimal("100000.00"), "10万-50万"),
    (.band([0, 100_000]), .integer, .integer(-1), "<0"),
    (.band([0, 100_000_000]), .integer, .integer(100_000_000), "≥1亿"),
    (.rounded(3), .integer, .integer(1500), "2000"), (.rounded(3), .integer, .integer(-1499), "-1000"),
    (.rounded(4), .decimal(precision: 18, scale: 2), .decimal("12345.67"), "10000.00"),
    (.rounded(1), .integer, .integer(.max), "out-of-range"),
  ])
  func `values are generalised`(mask: ValueMask, type: ValueType, value: Value, expected: String) throws {
    #expect(try masked(mask, type, value) == expected)
  }

  @Test func `a mask fits some types only, and says what it does in both languages`() {
    #expect(ValueMask.token(.digits).facts(for: .integer) == nil && ValueMask.period(.year).facts(for: .text) == nil)
    #expect(ValueMask.band([2, 1]).facts(for: .integer) == nil && ValueMask.rounded(0).facts(for: .integer) == nil)
    for mask in ValueMask.Token.allCases.map(ValueMask.token) {
      let facts = mask.facts(for: .text, length: 30)
      #expect(
        facts?.keepsJoins == true && facts?.sentence.chinese.isEmpty == false && facts?.undoing.english.isEmpty == false
      )
    }
    #expect(
      ValueMask.cut(10).facts(for: .text, length: 5)?.length == 5
        && ValueMask.period(.year).facts(for: .date)?.keepsJoins == false)
  }
}
