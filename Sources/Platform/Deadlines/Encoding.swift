#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif
import Kernel

// The text form of due dates and clocks, for a column and for the API: JSON with sorted keys, so that equal values have
// equal texts. The wire types stand apart from the values, so that a value's shape can change without its stored form.

extension DueDate {
  package var encoded: String { json(Wire(self)) }

  /// Nil unless the text is one of ours.
  package init?(encoded: String) {
    guard let wire = Wire(json: encoded), let date = CalendarDate(wire.date), let from = CalendarDate(wire.from),
      let pauses = all(wire.pauses, { $0.pause }), let extensions = all(wire.extensions, { $0.value }),
      let trace = all(wire.trace, { $0.trace })
    else { return nil }
    self.init(
      date: date, workingDays: wire.workingDays, from: from, provisional: wire.provisional, rule: wire.rule?.reference,
      pauses: pauses, extensions: extensions, calendarVersion: wire.calendar, trace: trace)
  }

  private struct Wire: Codable {
    var date: String
    var from: String
    var workingDays: Int
    var provisional: Bool
    var rule: WireRule?
    var pauses: [WirePause]
    var extensions: [WireExtension]
    var calendar: String
    var trace: [WireTrace]

    init(_ due: DueDate) {
      date = "\(due.date)"
      from = "\(due.from)"
      workingDays = due.workingDays
      provisional = due.provisional
      rule = due.rule.map(WireRule.init)
      pauses = due.pauses.map(WirePause.init)
      extensions = due.extensions.map(WireExtension.init)
      calendar = due.calendarVersion
      trace = due.trace.map(WireTrace.init)
    }
  }

  private struct WireTrace: Codable {
    var from: String
    var through: String
    var reason: String
    var name: String?
    var text: WireText?

    init(_ trace: Trace) {
      from = "\(trace.from)"
      through = "\(trace.through)"
      switch trace.reason {
      case .weekend: reason = "weekend"
      case .holiday(let occasion): (reason, name) = ("holiday", occasion)
      case .makeUp(let occasion): (reason, name) = ("makeUp", occasion)
      case .paused(let why): (reason, text) = ("paused", WireText(why))
      }
    }

    var trace: Trace? {
      guard let from = CalendarDate(from), let through = CalendarDate(through), from <= through else { return nil }
      let why: Trace.Reason
      switch (reason, name, text) {
      case ("weekend", _, _): why = .weekend
      case ("holiday", let name?, _): why = .holiday(name)
      case ("makeUp", let name?, _): why = .makeUp(name)
      case ("paused", _, let text?): why = .paused(text.text)
      default: return nil
      }
      return Trace(from: from, through: through, reason: why)
    }
  }
}

extension ClockState {
  /// The terms and everything that happened; the state follows from them.
  package var encoded: String { json(Wire(self)) }

  /// Nil unless the text is one of ours and its events are a possible course.
  package init?(encoded: String) {
    guard let wire = Wire(json: encoded), (0...Rule.longest).contains(wire.workingDays),
      (0...Rule.longest).contains(wire.mostExtension), let events = all(wire.events, { $0.value })
    else { return nil }
    var state = ClockState(
      Terms(workingDays: wire.workingDays, mostExtension: wire.mostExtension, rule: wire.rule?.reference))
    for event in events {
      guard let next = try? state.applying(event) else { return nil }
      state = next
    }
    self = state
  }

  private struct Wire: Codable {
    var workingDays: Int
    var mostExtension: Int
    var rule: WireRule?
    var events: [WireEvent]

    init(_ state: ClockState) {
      workingDays = state.terms.workingDays
      mostExtension = state.terms.mostExtension
      rule = state.terms.rule.map(WireRule.init)
      events = state.events.map(WireEvent.init)
    }
  }

  private struct WireEvent: Codable {
    var event: String
    var on: String
    var workingDays: Int?
    var reason: WireText?

    init(_ value: ClockEvent) {
      on = "\(value.day)"
      switch value {
      case .started: event = "started"
      case .suspended(_, let why): (event, reason) = ("suspended", WireText(why))
      case .resumed: event = "resumed"
      case .restarted(_, let why): (event, reason) = ("restarted", WireText(why))
      case .extended(_, let days, let why): (event, workingDays, reason) = ("extended", days, WireText(why))
      case .met: event = "met"
      }
    }

    var value: ClockEvent? {
      guard let day = CalendarDate(on) else { return nil }
      return switch (event, workingDays, reason) {
      case ("started", _, _): .started(on: day)
      case ("suspended", _, let why?): .suspended(on: day, reason: why.text)
      case ("resumed", _, _): .resumed(on: day)
      case ("restarted", _, let why?): .restarted(on: day, reason: why.text)
      case ("extended", let days?, let why?): .extended(on: day, workingDays: days, reason: why.text)
      case ("met", _, _): .met(on: day)
      default: nil
      }
    }
  }
}

// MARK: - Shared parts

private struct WireText: Codable {
  var zh: String
  var en: String
  init(_ text: Text) { (zh, en) = (text.chinese, text.english) }
  var text: Text { Text(zh, en) }
}

private struct WireRule: Codable {
  var key: String
  var version: String
  var name: WireText
  var source: WireText
  var confirmed: Bool

  init(_ rule: RuleReference) {
    key = rule.key
    version = rule.version
    name = WireText(rule.name)
    source = WireText(rule.source)
    confirmed = rule.confirmed
  }

  var reference: RuleReference {
    RuleReference(key: key, version: version, name: name.text, source: source.text, confirmed: confirmed)
  }
}

private struct WirePause: Codable {
  var from: String
  var through: String
  var reason: WireText

  init(_ pause: Pause) {
    from = "\(pause.from)"
    through = "\(pause.through)"
    reason = WireText(pause.reason)
  }

  var pause: Pause? {
    guard let from = CalendarDate(from), let through = CalendarDate(through) else { return nil }
    return Pause(from: from, through: through, reason: reason.text)
  }
}

private struct WireExtension: Codable {
  var on: String
  var workingDays: Int
  var reason: WireText

  init(_ more: Extension) {
    on = "\(more.on)"
    workingDays = more.workingDays
    reason = WireText(more.reason)
  }

  var value: Extension? { CalendarDate(on).map { Extension(on: $0, workingDays: workingDays, reason: reason.text) } }
}

private func json(_ value: some Encodable) -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  // The wire types hold texts, whole numbers and truth values: nothing that could fail to encode.
  return String(decoding: try! encoder.encode(value), as: UTF8.self)
}

extension Decodable {
  fileprivate init?(json text: String) {
    guard let value = try? JSONDecoder().decode(Self.self, from: Data(text.utf8)) else { return nil }
    self = value
  }
}

/// The results when every one is there, else nil.
private func all<A, B>(_ values: [A], _ transform: (A) -> B?) -> [B]? {
  let results = values.compactMap(transform)
  return results.count == values.count ? results : nil
}
