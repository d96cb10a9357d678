package import Connecting
package import Kernel
package import Reshaping

/// What provider and consumer agreed on for one information item: the catalogue's word for a column, kept with the grant.
package struct ItemContract: Hashable, Sendable {
  /// The column's name in the target; in the source as well unless `source` says otherwise.
  package var name: String
  package var type: ValueType
  /// Characters at most, for text; nil for no limit.
  package var length: Int?
  package var isNullable: Bool
  package var check: Check
  package var mask: Mask
  package var comment: String?
  /// Where the value comes from.
  package var source: Source
  /// What it must keep beyond `check`, each with its own consequence and count.
  package var rules: [QualityRule]

  package init(
    _ name: String, _ type: ValueType, length: Int? = nil, isNullable: Bool = true, check: Check = .none,
    mask: Mask = .none, comment: String? = nil, source: Source = .sameColumn, rules: [QualityRule] = []
  ) {
    self.name = name
    self.type = type
    self.length = length
    self.isNullable = isNullable
    self.check = check
    self.mask = mask
    self.comment = comment
    self.source = source
    self.rules = rules
  }

  package enum Source: Hashable, Sendable {
    /// The source's column of the item's name.
    case sameColumn
    case column(String)
    /// `Expression` over the source's columns; a constant is one.
    case expression(String)
    /// A column's codes by one of the plan's dictionaries.
    case translated(String, by: String)
  }

  /// The one column that is delivered as it is; nil for what is computed.
  var sourceColumn: String? {
    switch source {
    case .sameColumn: name
    case .column(let column): column
    case .expression, .translated: nil
    }
  }

  /// What a value must be beyond its type. Checked before masking; NULL passes (`isNullable` says whether it may be).
  package enum Check: Hashable, Sendable {
    case none
    /// 统一社会信用代码, GB 32100-2015.
    case creditCode
    /// 公民身份号码, GB 11643-1999.
    case citizenID
    /// 组织机构代码, GB 11714-1997.
    case organisationCode
    case dates(from: CalendarDate, through: CalendarDate)
    /// The value is one of a code list's codes.
    case dictionary(Set<String>)
  }

  /// What the consumer gets instead of the value. Done on the provider's side; sums and digests are over the result.
  package enum Mask: Hashable, Sendable {
    case none
    /// The first and last characters stay, each of the others becomes `*`; a value that short is all `*`.
    case keepHeadTail(Int, Int)
    /// HMAC-SM3 under a key of this grant alone, 64 hexadecimal digits: equal values stay equal within the grant and
    /// cannot be joined with another grant's.
    case pseudonym
    /// Always NULL.
    case drop
    /// Tokens and generalisation.
    case reshaped(ValueMask)
  }

  /// The type of what is delivered.
  package var deliveredType: ValueType {
    switch mask {
    case .none, .drop, .keepHeadTail: type
    case .pseudonym: .text
    case .reshaped(let mask): mask.facts(for: type, length: length)?.type ?? type
    }
  }

  package var deliveredLength: Int? {
    switch mask {
    case .none, .drop, .keepHeadTail: length
    case .pseudonym: 64
    case .reshaped(let mask): mask.facts(for: type, length: length)?.length
    }
  }

  package var target: WritePlan.Column {
    WritePlan.Column(name, deliveredType, length: deliveredLength, comment: comment)
  }
}
