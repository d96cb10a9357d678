import Kernel

/// One generated registration of a legal person. No person or company in it exists: names are drawn from lists,
/// numbers have right check digits but come from ranges that are not issued.
package struct LegalPerson: Sendable, Hashable {
  package var creditCode: String?
  package var name: String
  package var kind: String
  package var representative: String
  package var representativeID: String
  /// 万元, two decimals, as text.
  package var capital: String
  package var established: String
  package var status: String
  package var industry: String
  package var division: String
  package var address: String
  package var phone: String
  package var updatedAt: String
}

/// How a row is wrong on purpose.
package enum Flaw: String, Sendable, CaseIterable {
  case badCheckDigit
  case missingKey
  case nameTooLong
  case impossibleDate
}

/// Rows of the register, each a pure function of the seed and its number.
package struct LegalPersonGenerator: Sendable {
  package var seed: UInt64
  package var count: Int

  package init(seed: UInt64 = 2017, count: Int) {
    self.seed = seed
    self.count = count
  }

  /// Every thousandth row is wrong, the four flaws in turn.
  package func flaw(of index: Int) -> Flaw? {
    guard index % 1000 == 617 else { return nil }
    return Flaw.allCases[index / 1000 % Flaw.allCases.count]
  }

  package var flawCount: Int { count > 617 ? (count - 618) / 1000 + 1 : 0 }

  package func row(_ index: Int) -> LegalPerson {
    var random = DeterministicRandom(seed: seed, row: index)
    var person = sound(index, &random)
    switch flaw(of: index) {
    case nil: break
    case .badCheckDigit: person.creditCode = person.creditCode.map(wrongCheckDigit)
    case .missingKey: person.creditCode = nil
    case .nameTooLong: person.name = String(repeating: person.name, count: 12)
    case .impossibleDate: person.established = "2015-02-30"
    }
    return person
  }

  /// The right form of a row, whatever its flaw.
  package func sound(_ index: Int) -> LegalPerson {
    var random = DeterministicRandom(seed: seed, row: index)
    return sound(index, &random)
  }

  private func sound(_ index: Int, _ random: inout DeterministicRandom) -> LegalPerson {
    let place = random.pick(places)
    let trade = random.pick(trades)
    let form = random.pick(forms)
    let year = random.number(1993...2023)
    let established = CalendarDate(year: year, month: random.number(1...12), day: random.number(1...28))!
    let fen = random.number(50...500_000) * 100 + (random.number(0...9) == 0 ? random.number(1...99) : 0)
    let updated = Instant(milliseconds: 1_735_660_800_000 + Int64(index) * 41_000 % 14_000_000_000)
    return LegalPerson(
      creditCode: CreditCode.fictitious(category: form.category, serial: index),
      name: "\(place.short)\(random.pick(marks))\(random.pick(marks))\(trade.word)\(form.suffix)",
      kind: form.kind,
      representative: random.pick(surnames) + random.pick(givenNames)
        + (random.next() % 3 == 0 ? "" : random.pick(givenNames)),
      representativeID: CitizenID.fictitious(
        division: place.code,
        born: CalendarDate(year: random.number(1955...1999), month: random.number(1...12), day: random.number(1...28))!,
        serial: random.number(1...999)),
      capital: "\(fen / 100).\(fen % 100 < 10 ? "0" : "")\(fen % 100)",
      established: established.description,
      status: random.number(0...9) == 0 ? "注销" : "存续",
      industry: trade.code,
      division: place.code,
      address: "青海省\(place.name)\(random.pick(streets))\(random.number(1...288))号",
      phone: "0971-\(random.number(1_000_000...1_999_999))",
      updatedAt: updated.description)
  }
}

/// The same code with its last character replaced by another of the alphabet.
func wrongCheckDigit(_ code: String) -> String { code.dropLast() + (code.last == "0" ? "1" : "0") }

private struct Place: Sendable {
  var code: String
  var name: String
  var short: String
}

private let places: [Place] = [
  Place(code: "630102", name: "西宁市城东区", short: "西宁"), Place(code: "630103", name: "西宁市城中区", short: "西宁"),
  Place(code: "630104", name: "西宁市城西区", short: "西宁"), Place(code: "630105", name: "西宁市城北区", short: "西宁"),
  Place(code: "630106", name: "西宁市湟中区", short: "湟中"), Place(code: "630121", name: "西宁市大通回族土族自治县", short: "大通"),
  Place(code: "630202", name: "海东市乐都区", short: "海东"), Place(code: "630203", name: "海东市平安区", short: "海东"),
  Place(code: "630223", name: "海东市互助土族自治县", short: "互助"), Place(code: "632223", name: "海北藏族自治州海晏县", short: "海北"),
  Place(code: "632301", name: "黄南藏族自治州同仁市", short: "黄南"), Place(code: "632521", name: "海南藏族自治州共和县", short: "共和"),
  Place(code: "632621", name: "果洛藏族自治州玛沁县", short: "果洛"), Place(code: "632701", name: "玉树藏族自治州玉树市", short: "玉树"),
  Place(code: "632801", name: "海西蒙古族藏族自治州格尔木市", short: "格尔木"),
  Place(code: "632802", name: "海西蒙古族藏族自治州德令哈市", short: "德令哈"),
]

private let trades: [(word: String, code: String)] = [
  ("农牧科技", "A0311"), ("藏毯", "C2437"), ("盐湖化工", "C2612"), ("光伏能源", "D4416"), ("建筑工程", "E4790"),
  ("商贸", "F5191"), ("运输", "G5430"), ("餐饮服务", "H6210"), ("信息技术", "I6510"), ("冬虫夏草", "F5154"),
  ("旅游开发", "L7291"), ("枸杞种业", "A0159"), ("乳业", "C1440"), ("机械租赁", "L7111"), ("水电安装", "E4920"),
]

private let forms: [(suffix: String, kind: String, category: Character)] = [
  ("有限公司", "有限责任公司", "1"), ("有限责任公司", "有限责任公司", "1"), ("股份有限公司", "股份有限公司", "1"),
  ("专业合作社", "农民专业合作社", "3"), ("经营部", "个体工商户", "2"),
]

private let marks = [
  "昆仑", "江源", "雪域", "青湖", "河湟", "祁连", "三江", "金盛", "高原", "恒泰", "瑞丰", "吉祥", "安康", "宏远", "同德", "兴源", "博雅", "天沐",
  "塔拉", "圣湖", "柴达木", "日月", "康巴", "格桑",
]

private let surnames = ["马", "李", "王", "张", "韩", "祁", "多杰", "才让", "星", "冶", "白", "鲍", "星", "东", "乔", "吉"]
private let givenNames = ["国", "明", "海", "英", "成", "兰", "吉", "措", "生", "青", "宁", "德", "福", "桂", "玉", "龙"]
private let streets = ["昆仑中路", "长江路", "黄河路", "七一路", "五四大街", "建国路", "柴达木路", "祁连路", "海湖大道", "德令哈路"]
