package import Kernel

// What a query asks for, read strictly: a filter or a place that is not understood is refused by its name. Left out of
// the question, it would be answered by the first page of everything, and a program would never know.

extension Route {
  /// Why a change is not made whose query has a name that this route does not know; nil when it knows them all. What was
  /// meant to limit the change would be left out of it.
  package func strayQuery(in query: Fields) -> Refusal? {
    let known = schema.query.map(\.name) + ["lang"]
    guard let stray = query.pairs.first(where: { !known.contains($0.name) })?.name else { return nil }
    let all = known.joined(separator: ", ")
    return .invalid(
      "web.query", String(stray.prefix(40)),
      Text(
        "没有“\(stray.prefix(40))”这个参数；可有：\(all)。", "There is no parameter “\(stray.prefix(40))”; there may be: \(all)."))
  }
}

extension Request {
  /// The id of that name; nil when it is not given.
  package func queryID<T>(_ name: String, of type: T.Type = T.self) throws -> ID<T>? {
    try query[name].map { text in
      guard let id = ID<T>(text) else {
        throw wrong(name, Text("\(name) 不是编号（小写 UUID）。", "\(name) is no id (a UUID in lower case)."))
      }
      return id
    }
  }

  /// The choice of that name; nil when it is not given.
  package func queryChoice<E: RawRepresentable & CaseIterable>(_ name: String, of type: E.Type = E.self) throws -> E?
  where E.RawValue == String {
    try query[name].map { text in
      guard let choice = E(rawValue: text) else {
        let all = E.allCases.map(\.rawValue).joined(separator: ", ")
        throw wrong(name, Text("\(name) 应为下列之一：\(all)。", "\(name) is one of: \(all)."))
      }
      return choice
    }
  }

  /// `1` or `0`; nil when it is not given.
  package func queryFlag(_ name: String) throws -> Bool? {
    switch query[name] {
    case nil: return nil
    case "1": return true
    case "0": return false
    default: throw wrong(name, Text("\(name) 应为 1 或 0。", "\(name) is 1 or 0."))
    }
  }

  /// The day of that name; nil when it is not given.
  package func queryDay(_ name: String) throws -> CalendarDate? {
    try query[name].map { text in
      guard let day = CalendarDate(text) else {
        throw wrong(name, Text("日期应如 2026-03-01。", "A day is written as 2026-03-01."))
      }
      return day
    }
  }

  /// Where the page before ended, as `read` understands it; nil when it is not given.
  package func queryPlace<Place>(_ name: String, _ read: (String) -> Place?) throws -> Place? {
    try query[name].map { text in
      guard let place = read(text) else {
        throw wrong(
          name, Text("\(name) 不是上一页给出的位置。", "\(name) is no place that a page before gave."))
      }
      return place
    }
  }

  /// `limit` of a list, refused when it is no number in its range.
  package func pageLimit(most: Int, usual: Int = 50) throws -> Int {
    guard let text = query["limit"] else { return usual }
    guard let limit = Int(text), (1...most).contains(limit) else {
      throw Refusal.invalid(
        "page.limit", "limit", Text("limit 应为 1 到 \(most) 的整数。", "limit must be a whole number from 1 to \(most)."))
    }
    return limit
  }

  /// To a program by the name and what it may be; on a page nobody wrote it, a link brought it.
  private func wrong(_ name: String, _ message: Text) -> Refusal {
    if path.hasPrefix("/api/") { return .invalid("web.query", name, message) }
    return Refusal(
      .invalid, "web.query", Text("链接中的筛选条件无效。", "A condition in this link is not valid."),
      faults: [.init(name, Text("链接中的筛选条件无效。", "A condition in this link is not valid."))]
    ).leading(Text("不带条件打开", "Open it without conditions"), path)
  }
}
