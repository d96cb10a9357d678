package import Connecting
package import Kernel

/// A rule that rows must keep, as data.
package struct QualityRule: Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    case notNull
    /// In characters; for text.
    case length(least: Int, most: Int)
    /// Written numbers, either may be left out; for integers and decimals.
    case number(least: String?, most: String?)
    /// Days in China, either may be left out; for dates and times.
    case date(from: CalendarDate?, through: CalendarDate?)
    /// `BytePattern`; for text.
    case format(String)
    case code(Code)
    case dictionary(Set<String>)
    /// An expression over the delivered items, before masking; what is not false passes.
    case holds(String)
    /// No two rows of a batch have the same value.
    case unique
    /// Declared for the key alone: the target's primary key sees to it.
    case uniqueInTarget
    /// The value is a key of another resource: by the name of its `KeySet`.
    case reference(String)
  }

  /// Codes that can be told right from wrong by themselves.
  package enum Code: String, Sendable, CaseIterable {
    case creditCode = "uscc"
    case citizenID = "citizen-id"
    case organisationCode = "organisation-code"
    /// 12 to 19 digits with Luhn's check digit (GB/T 17552, ISO/IEC 7812).
    case bankCard = "bank-card"
    /// Six digits.
    case postalCode = "postal-code"
    /// Eleven digits from 13 to 19.
    case mobile
    /// A mobile number, or a landline's with its area code, with or without a hyphen.
    case phone
  }

  package enum Severity: String, Sendable {
    /// The row goes to quarantine.
    case reject
    /// The row is delivered and counted.
    case warn
  }

  /// For people and for the counters; unique within a plan.
  package var name: String
  package var kind: Kind
  package var severity: Severity
  package var stopWhen: StopRule?

  package init(_ name: String, _ kind: Kind, _ severity: Severity = .reject, stopWhen: StopRule? = nil) {
    self.name = name
    self.kind = kind
    self.severity = severity
    self.stopWhen = stopWhen
  }
}

/// When a run ends rather than go on: by how many rows, or by which share of the rows read.
package struct StopRule: Hashable, Sendable {
  /// More than so many.
  package var count: Int?
  /// More than this share, from 0 to 1, once `leastRows` were read.
  package var share: Double?
  package var leastRows: Int

  package init(count: Int? = nil, share: Double? = nil, leastRows: Int = 1_000) {
    self.count = count
    self.share = share
    self.leastRows = leastRows
  }

  package var isSensible: Bool {
    (count ?? 0) >= 0 && (0...1).contains(share ?? 0) && leastRows >= 0 && (count != nil || share != nil)
  }

  /// `isEnd`: nothing more is read, so that a small table is judged as well.
  package func isReached(_ bad: Int, of rows: Int, isEnd: Bool = false) -> Bool {
    if let count, bad > count { return true }
    guard let share, rows > 0, isEnd || rows >= leastRows else { return false }
    return Double(bad) > share * Double(rows)
  }

  package var sentence: Text {
    let parts: [Text] = [
      count.map { Text("超过 \($0) 行", "more than \($0) rows") },
      share.map { Text("超过 \(Self.percent($0))", "more than \(Self.percent($0)) of the rows") },
    ].compactMap(\.self)
    return Text(
      parts.map(\.chinese).joined(separator: "或"), parts.map(\.english).joined(separator: " or "))
  }

  private static func percent(_ share: Double) -> String {
    let hundredths = Int((share * 10_000).rounded())
    return hundredths % 100 == 0 ? "\(hundredths / 100)%" : Decimals.text(Int128(hundredths), scale: 2) + "%"
  }
}

extension QualityRule {
  /// What it asks of an item.
  package var sentence: Text {
    func between(_ low: String?, _ high: String?) -> Text {
      switch (low, high) {
      case (let low?, let high?): Text("在 \(low) 至 \(high) 之间", "from \(low) through \(high)")
      case (let low?, nil): Text("不小于 \(low)", "at least \(low)")
      case (nil, let high?): Text("不大于 \(high)", "at most \(high)")
      case (nil, nil): Text("不限", "anything")
      }
    }
    return switch kind {
    case .notNull: Text("不能为空", "is not NULL")
    case .length(let least, let most): Text("长度为 \(least) 至 \(most) 个字符", "has \(least) to \(most) characters")
    case .number(let least, let most): between(least, most)
    case .date(let from, let through): between(from.map { "\($0)" }, through.map { "\($0)" })
    case .format(let pattern): Text("格式为 \(pattern)", "has the form \(pattern)")
    case .code(let code): Text("是正确的\(code.title.chinese)", "is a right \(code.title.english)")
    case .dictionary(let codes): Text("是字典的 \(codes.count) 个代码之一", "is one of the \(codes.count) codes of a dictionary")
    case .holds(let text): (try? Expression(parsing: text))?.sentence ?? Text(same: text)
    case .unique: Text("在一批内不重复", "does not occur twice in a batch")
    case .uniqueInTarget: Text("在接收表中不重复", "does not occur twice in the target")
    case .reference(let name): Text("在“\(name)”中存在", "exists in “\(name)”")
    }
  }

  /// What a rule that rejects asks: part of a schema's digest, so it never changes.
  package var canonicalText: String {
    switch kind {
    case .notNull: "not-null"
    case .length(let least, let most): "length \(least) \(most)"
    case .number(let least, let most): "number \(least ?? "-") \(most ?? "-")"
    case .date(let from, let through): "date \(from.map { "\($0)" } ?? "-") \(through.map { "\($0)" } ?? "-")"
    case .format(let pattern): "format \(pattern)"
    case .code(let code): "code \(code.rawValue)"
    case .dictionary(let codes): "dictionary \(codes.sorted().map { "\($0.utf8.count):\($0)" }.joined())"
    case .holds(let text): "holds \(text)"
    case .unique: "unique"
    case .uniqueInTarget: "unique-in-target"
    case .reference(let name): "reference \(name)"
    }
  }
}

extension QualityRule.Code {
  package var title: Text {
    switch self {
    case .creditCode: Text("统一社会信用代码", "unified social credit code")
    case .citizenID: Text("公民身份号码", "citizen identification number")
    case .organisationCode: Text("组织机构代码", "organisation code")
    case .bankCard: Text("银行卡号", "bank card number")
    case .postalCode: Text("邮政编码", "postal code")
    case .mobile: Text("手机号", "mobile number")
    case .phone: Text("电话号码", "telephone number")
    }
  }

  /// Nil when the text is such a code.
  package func fault(_ text: UnsafeRawBufferPointer, on horizon: CitizenID.Horizon) -> RowFault? {
    func isDigit(_ at: Int) -> Bool { text[at] &- 48 < 10 }
    func areDigits(_ range: Range<Int>) -> Bool { range.allSatisfy(isDigit) }
    switch self {
    case .creditCode: return CreditCode.isValid(text) ? nil : text.count == 18 ? .checkDigit : .malformedCode
    case .citizenID:
      return CitizenID.isValid(text, on: horizon) ? nil : text.count == 18 ? .checkDigit : .malformedCode
    case .organisationCode: return OrganisationCode.isValid(text) ? nil : text.count == 9 ? .checkDigit : .malformedCode
    case .bankCard:
      guard (12...19).contains(text.count), areDigits(0..<text.count) else { return .malformedCode }
      var sum = 0
      for (index, byte) in text.reversed().enumerated() {
        let digit = Int(byte - 48)
        sum += index % 2 == 0 ? digit : digit < 5 ? digit * 2 : digit * 2 - 9
      }
      return sum % 10 == 0 ? nil : .checkDigit
    case .postalCode: return text.count == 6 && areDigits(0..<6) ? nil : .malformedCode
    case .mobile: return Self.isMobile(text) ? nil : .malformedCode
    case .phone:
      if Self.isMobile(text) { return nil }
      // 0, two or three digits, seven or eight more.
      let digits = text.filter { $0 != UInt8(ascii: "-") }
      let hyphens = text.count - digits.count
      guard (10...12).contains(digits.count), digits.allSatisfy({ $0 &- 48 < 10 }), digits[0] == 48, hyphens <= 1,
        hyphens == 0 || text[3] == UInt8(ascii: "-") || text[4] == UInt8(ascii: "-")
      else { return .malformedCode }
      return nil
    }
  }

  private static func isMobile(_ text: UnsafeRawBufferPointer) -> Bool {
    text.count == 11 && text[0] == UInt8(ascii: "1") && text[1] >= UInt8(ascii: "3")
      && text.allSatisfy { $0 &- 48 < 10 }
  }
}
