package import Connecting
package import Kernel

/// What provider and consumer agreed on for one information item: the catalogue's word for a column, kept with the grant.
package struct ItemContract: Hashable, Sendable {
  /// The column's name in the source, and in the target.
  package var name: String
  package var type: ValueType
  /// Characters at most, for text; nil for no limit.
  package var length: Int?
  package var isNullable: Bool
  package var check: Check
  package var mask: Mask
  package var comment: String?

  package init(
    _ name: String, _ type: ValueType, length: Int? = nil, isNullable: Bool = true, check: Check = .none,
    mask: Mask = .none, comment: String? = nil
  ) {
    self.name = name
    self.type = type
    self.length = length
    self.isNullable = isNullable
    self.check = check
    self.mask = mask
    self.comment = comment
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
  }

  /// The type of what is delivered.
  package var deliveredType: ValueType {
    switch mask {
    case .none, .drop, .keepHeadTail: type
    case .pseudonym: .text
    }
  }

  package var deliveredLength: Int? {
    switch mask {
    case .none, .drop, .keepHeadTail: length
    case .pseudonym: 64
    }
  }

  package var target: WritePlan.Column {
    WritePlan.Column(name, deliveredType, length: deliveredLength, comment: comment)
  }
}
