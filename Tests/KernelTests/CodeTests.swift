@testable import Kernel
import Testing

private let usccVectors = [
  "11100000000013338W", "11100000MB03271699", "11330105002500287C", "11430000006122244L", "11220000013544541J",
  "91350100M000100Y43", "914403001922038216", "9144030071526726XG", "91330100799655058B",
  "11630000015000011M", "1163000001500002XD", "11630000015000038D", "12630100400000018R", "11632801015700018X",
  "91630100MA75000A6M", "51630000500000015M",
]
private let alphabet = Array("0123456789ABCDEFGHJKLMNPQRTUWXY")
private let today = CalendarDate("2026-08-22")!

private func valid(_ text: String) -> Bool { Array(text.utf8).withUnsafeBytes { CreditCode.isValid($0) } }
private func validID(_ text: String, on day: CalendarDate = today) -> Bool {
  Array(text.utf8).withUnsafeBytes { CitizenID.isValid($0, on: .init(day)) }
}
private func validOrganisation(_ text: String) -> Bool {
  Array(text.utf8).withUnsafeBytes { OrganisationCode.isValid($0) }
}

private func fault(of text: String) -> CodeFault? {
  do throws(CodeFault) {
    _ = try CreditCode(text)
    return nil
  } catch { return error }
}

private func idFault(of text: String, on day: CalendarDate = today) -> CodeFault? {
  do throws(CodeFault) {
    _ = try CitizenID(text, on: day)
    return nil
  } catch { return error }
}

@Suite struct `Credit code, GB 32100-2015` {
  @Test(arguments: usccVectors)
  func `known codes are accepted, as text and as bytes`(text: String) throws {
    #expect(try CreditCode(text).text == text)
    #expect(valid(text))
    #expect(Array(text.utf8).withUnsafeBufferPointer { CreditCode.isValid($0.span) })
  }

  @Test(arguments: usccVectors)
  func `the organisation code inside is one by GB 11714`(text: String) throws {
    let code = try CreditCode(text)
    #expect(code.organisation?.text == String(text.dropFirst(8).prefix(9)))
  }

  @Test(arguments: usccVectors)
  func `every change of one character is refused`(text: String) {
    let characters = Array(text)
    var changes = 0
    for position in characters.indices {
      for other in alphabet + ["I", "O", "S", "V", "Z", "a", " ", "-", "/", ":", "@", "["]
      where other != characters[position] {
        var changed = characters
        changed[position] = other
        #expect(!valid(String(changed)))
        #expect(fault(of: String(changed)) != nil)
        changes += 1
      }
    }
    #expect(changes == 18 * 42)
  }

  @Test(arguments: usccVectors)
  func `every exchange of two different characters among the first seventeen is refused`(text: String) {
    let characters = Array(text)
    for first in 0..<17 {
      for second in first + 1..<17 where characters[first] != characters[second] {
        var changed = characters
        changed.swapAt(first, second)
        #expect(!valid(String(changed)))
      }
    }
  }

  @Test(arguments: [
    ("", CodeFault.empty),
    ("11630000015000011", .length(expected: 18, found: 17)),
    ("11630000015000011M1", .length(expected: 18, found: 19)),
    ("11630000015000011m", .character("m", position: 18)),
    ("1163000O015000011M", .character("O", position: 8)),
    ("1163000A015000011M", .character("A", position: 8)),
    ("116300000150S0011M", .character("S", position: 13)),
    ("青1630000015000011M", .character("青", position: 1)),
    ("B1630000015000011M", .department("B")),
    ("14630000015000011M", .category("4", department: "1")),
    ("9963000001500001XM", .category("9", department: "9")),
    ("11630000015000011N", .check(expected: "M", found: "N")),
    ("916300006791575725", .check(expected: "7", found: "5")),
  ])
  func `a fault names the rule that was broken`(text: String, expected: CodeFault) {
    let found = fault(of: text)
    if case .check(_, let last) = expected, case .check(_, let foundLast)? = found {
      #expect(last == foundLast)
    } else {
      #expect(found == expected)
    }
    #expect(!valid(text))
    #expect(found?.message.chinese.isEmpty == false && found?.message.english.isEmpty == false)
  }

  @Test func `bytes and text agree on every department and category`() {
    for department in UInt8.min...UInt8.max {
      for category in UInt8.min...UInt8.max {
        let listed = CreditCode.categories(of: department)?.contains { $0.code == category } ?? false
        #expect(CreditCode.hasCategory(department, category) == listed)
      }
      #expect((CreditCode.categories(of: department) == nil) == (CreditCode.departmentName(department) == nil))
    }
  }

  @Test func `fictitious codes are made with both check characters`() throws {
    for number in 0..<2000 {
      let digits = String(100_000 + number).dropFirst()
      let code = try CreditCode.make(department: "1", category: "1", division: "630000", organisation: "PDY\(digits)")
      #expect(valid(code.text))
      #expect(code.organisation != nil)
      #expect(code.isPublicBody)
      #expect(code.division == "630000")
    }
    #expect(throws: CodeFault.self) {
      try CreditCode.make(department: "1", category: "1", division: "630000", organisation: "SJ000001")
    }
    #expect(throws: CodeFault.self) {
      try CreditCode.make(department: "1", category: "8", division: "630000", organisation: "PDY00001")
    }
    #expect(throws: CodeFault.self) {
      try CreditCode.make(department: "1", category: "1", division: "63000", organisation: "PDY00001")
    }
  }

  @Test func `names of department and category are told`() throws {
    let code = try CreditCode("91330100799655058B")
    #expect(code.departmentName.chinese == "市场监管")
    #expect(code.categoryName.chinese == "企业")
    #expect(!code.isPublicBody)
  }
}

@Suite struct `Organisation code, GB 11714-1997` {
  static let vectors = ["000013338", "002500287", "M000100Y4", "192203821", "71526726X", "799655058"]

  @Test(arguments: vectors)
  func `known codes are accepted with and without hyphen`(text: String) throws {
    let code = try OrganisationCode(text)
    #expect(code.text == text)
    #expect(try OrganisationCode(code.printed) == code)
    #expect(try OrganisationCode.make(String(text.prefix(8))) == code)
    #expect(validOrganisation(text))
  }

  @Test(arguments: vectors)
  func `a change of one character is refused unless the values differ by a multiple of eleven`(text: String) {
    let characters = Array(text)
    let all = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    for position in 0..<8 {
      for other in all where other != characters[position] {
        var changed = characters
        changed[position] = other
        let apart = all.firstIndex(of: other)! - all.firstIndex(of: characters[position])!
        #expect(validOrganisation(String(changed)) == (apart % 11 == 0))
      }
    }
    for other in "0123456789X" where other != characters[8] {
      #expect(!validOrganisation(text.prefix(8) + String(other)))
    }
  }

  @Test(arguments: ["", "00001333", "0000133388", "00001333-", "00001333-x", "0000a3338", "00001333Y", "000013339"])
  func `what is no code is refused`(text: String) {
    #expect(throws: CodeFault.self) { try OrganisationCode(text) }
    #expect(!validOrganisation(text))
  }
}

@Suite struct `Citizen ID, GB 11643-1999` {
  static let vectors = ["11010519491231002X", "440524188001010014", "630102199003077211", "632801198506151339"]

  @Test(arguments: vectors)
  func `known numbers are accepted, as text and as bytes`(text: String) throws {
    #expect(try CitizenID(text, on: today).text == text)
    #expect(validID(text))
    #expect(Array(text.utf8).withUnsafeBufferPointer { CitizenID.isValid($0.span, on: .init(today)) })
  }

  @Test(arguments: vectors)
  func `every change of one character is refused`(text: String) {
    let characters = Array(text)
    for position in characters.indices {
      for other in "0123456789XxAZ /:" where other != characters[position] {
        var changed = characters
        changed[position] = other
        #expect(!validID(String(changed)))
        #expect(idFault(of: String(changed)) != nil)
      }
    }
  }

  @Test(arguments: vectors)
  func `every exchange of two different neighbours is refused`(text: String) {
    let characters = Array(text)
    for first in 0..<17 where characters[first] != characters[first + 1] {
      var changed = characters
      changed.swapAt(first, first + 1)
      #expect(!validID(String(changed)))
    }
  }

  @Test func `the parts are read`() throws {
    let woman = try CitizenID("11010519491231002X", on: today)
    #expect(woman.born == CalendarDate("1949-12-31"))
    #expect(!woman.isMale)
    #expect(woman.division == "110105")
    #expect(try CitizenID("440524188001010014", on: today).isMale)
  }

  @Test func `showing or interpolating it masks it`() throws {
    let id = try CitizenID("630102199003077211", on: today)
    #expect(id.masked == "630102********7211")
    #expect("\(id)" == "630102********7211")
  }

  @Test func `the form of fifteen digits becomes eighteen`() throws {
    #expect(try CitizenID(legacy: "110105491231002", on: today).text == "11010519491231002X")
    #expect(throws: CodeFault.date("19491331")) { try CitizenID(legacy: "110105491331002", on: today) }
    #expect(throws: CodeFault.length(expected: 15, found: 14)) { try CitizenID(legacy: "11010549123100", on: today) }
  }

  /// A number with that birthday and a right check character.
  static func number(_ division: String = "630102", born: String) -> String {
    let head = Array("\(division)\(born)721".utf8)
    return String(decoding: head + [CitizenID.checkCharacter(of: head[...])], as: UTF8.self)
  }

  @Test(arguments: [
    ("19000229", CodeFault.date("19000229")), ("20250229", .date("20250229")), ("19901301", .date("19901301")),
    ("19900001", .date("19900001")), ("19900100", .date("19900100")), ("19900431", .date("19900431")),
    ("17991231", .date("17991231")), ("00000000", .date("00000000")), ("20260823", .future(today)),
    ("99991231", .future(today)),
  ])
  func `a day that does not exist or has not come is refused`(born: String, expected: CodeFault) {
    let text = Self.number(born: born)
    #expect(idFault(of: text) == expected)
    #expect(!validID(text))
  }

  @Test(arguments: ["20000229", "20240229", "20260822", "18000101"])
  func `a day that exists is accepted`(born: String) {
    #expect(idFault(of: Self.number(born: born)) == nil)
    #expect(validID(Self.number(born: born)))
  }

  @Test func `the province must be one of GB/T 2260`() {
    var accepted: [Int] = []
    for province in 10...99 {
      let text = Self.number("\(province)0102", born: "19900307")
      #expect((idFault(of: text) == nil) == validID(text))
      if validID(text) { accepted.append(province) }
    }
    #expect(accepted.count == 35)
    #expect(accepted.contains(63) && !accepted.contains(60))
    #expect(idFault(of: Self.number("990102", born: "19900307")) == .province("99"))
  }

  @Test func `bytes and text agree on a hundred thousand random numbers`() {
    var random = SystemRandomNumberGenerator()
    var accepted = 0
    for _ in 0..<100_000 {
      let digits = (0..<8).map { _ in String(Int.random(in: 0...9, using: &random)) }.joined()
      let text = Bool.random() ? Self.number(born: "19" + digits.dropFirst(2)) : "63010219" + digits + "00"
      let right = idFault(of: text) == nil
      if right { accepted += 1 }
      if right != validID(text) { Issue.record("they differ on \(text)") }
    }
    #expect(accepted > 100)
  }
}

@Suite struct `Codes as typed` {
  @Test(arguments: [
    (" 1163 0000 0150 0001 1m ", "11630000015000011M"), ("００００１３３３－８", "000013338"),
    ("11010519491231002ｘ", "11010519491231002X"), ("１１６３", "1163"), ("7152\u{3000}6726\u{2011}X", "71526726X"),
    ("", ""),
  ])
  func `width, case, blanks and hyphens do not matter in a form`(typed: String, code: String) {
    #expect(typedCode(typed) == code)
  }
}
