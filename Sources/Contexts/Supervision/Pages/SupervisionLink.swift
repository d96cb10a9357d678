import Kernel
import Web

/// Addresses of the supervision pages.
enum SupervisionLink {
  static let matrix = "/supervision"

  static func matrix(_ query: MatrixQuery, isForPrint: Bool = false) -> String {
    address(
      matrix,
      [
        ("level", query.level?.rawValue), ("sort", query.sort?.rawValue),
        ("order", query.sort == nil || query.order == .descending ? nil : query.order.rawValue),
        ("empty", query.withEmpty ? "1" : nil), ("after", query.after?.text), ("print", isForPrint ? "1" : nil),
      ])
  }

  static func rows(
    _ measure: Measure, of office: OrganisationID?, in month: CalendarMonth? = nil,
    after place: CountedRow.Place? = nil,
    asCSV: Bool = false
  ) -> String {
    address(
      asCSV ? "/supervision/rows.csv" : "/supervision/rows",
      [
        ("what", measure.rawValue), ("office", office?.text), ("month", month?.description), ("after", place?.text),
      ])
  }

  static func trend(of office: OrganisationID? = nil) -> String {
    address("/supervision/trend", [("office", office?.text)])
  }
}
