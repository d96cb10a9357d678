package import Kernel

/// An office of government as it stood between two days. A reform ends one and begins another that names it as its
/// predecessor.
package struct Organisation: Sendable, Hashable {
  package var id: OrganisationID
  package var name: String
  package var shortName: String
  /// 统一社会信用代码, GB 32100; fictitious in the demo.
  package var creditCode: String
  /// GB/T 2260 division it belongs to: `63`, `6301`, `630102`.
  package var division: String
  /// Its node in the national classification (`3070120337`), which prefixes its resources' codes.
  package var classificationNode: String?
  package var validFrom: CalendarDate
  /// The first day it no longer stands; nil while it stands.
  package var validTo: CalendarDate?

  package func stands(on day: CalendarDate) -> Bool { validFrom <= day && (validTo.map { day < $0 } ?? true) }

  /// Whether there is a day on which both stand.
  func overlaps(_ other: Organisation) -> Bool {
    (validTo.map { other.validFrom < $0 } ?? true) && (other.validTo.map { validFrom < $0 } ?? true)
  }

  package init(
    id: OrganisationID, name: String, shortName: String, creditCode: String, division: String,
    classificationNode: String?, validFrom: CalendarDate, validTo: CalendarDate?
  ) {
    self.id = id
    self.name = name
    self.shortName = shortName
    self.creditCode = creditCode
    self.division = division
    self.classificationNode = classificationNode
    self.validFrom = validFrom
    self.validTo = validTo
  }
}
