import Connecting
import JSONBytes
import Kernel
import Remote

/// How an API's answers are read: where its tables are, where in an answer the list is, and how one comes to the next
/// page.
struct HTTPSource: Hashable, Sendable {
  /// How the pages of a list follow one another.
  enum Paging: Hashable, Sendable {
    /// One answer holds everything.
    case none
    /// By number, counted from `first`.
    case page(parameter: String, sizeParameter: String, first: Int)
    /// By how many rows came before.
    case offset(parameter: String, sizeParameter: String)
    /// By what stands at a pointer of each answer, sent back as a parameter.
    case cursor(pointer: JSONPointer, parameter: String)
    /// By the address that the header `Link` calls `next` (RFC 8288).
    case link
    /// By the address at a pointer of each answer.
    case next(pointer: JSONPointer)
  }

  struct Table: Hashable, Sendable {
    var name: String
    var address: RemoteAddress
  }

  var tables: [Table]
  /// `Name: value`, secrets among them.
  var headers: [String]
  /// Where the list of rows stands in an answer.
  var list: JSONPointer
  /// Where the number of all rows stands; nil where no answer tells.
  var total: JSONPointer?
  var paging: Paging
  /// Rows asked for at once.
  var size: Int
  /// Columns that are not simply a row's members.
  var fields: [(name: String, pointer: JSONPointer)] {
    get { zip(fieldNames, fieldPointers).map { ($0, $1) } }
    set { (fieldNames, fieldPointers) = (newValue.map(\.name), newValue.map(\.pointer)) }
  }
  private var fieldNames: [String] = []
  private var fieldPointers: [JSONPointer] = []
  /// What a date and time without a zone means, in seconds east of UTC.
  var zone: Int
  var limits = RemoteLimits()
  /// What may be waited for one page that the API puts off (429, 503).
  var patience: Duration = .seconds(120)

  init(
    tables: [Table], headers: [String], list: JSONPointer, total: JSONPointer?, paging: Paging, size: Int, zone: Int
  ) {
    self.tables = tables
    self.headers = headers
    self.list = list
    self.total = total
    self.paging = paging
    self.size = size
    self.zone = zone
  }

  /// Pages of one list; more of them is a list without an end.
  static let mostPages = 100_000

  func table(_ name: TableName) throws(ConnectorError) -> Table {
    guard name.schema == nil, let found = tables.first(where: { $0.name == name.name }) else {
      throw .contract("table-missing", "没有“\(name)”这张表。", "There is no table “\(name)”.")
    }
    return found
  }

  /// Where a column stands in a row.
  func pointer(_ column: String) -> JSONPointer {
    fields.first { $0.name == column }?.pointer ?? JSONPointer(name: column)
  }
}
