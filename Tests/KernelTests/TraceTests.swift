import Testing

@testable import Kernel

@Suite struct TraceTests {
  @Test func `a UUID's digits are the trace of all work at it, each part with a span of its own`() throws {
    let uuid = uuidVersion7(at: Clock.system.now())
    let (first, second) = (try #require(Trace(work: uuid)), try #require(Trace(work: uuid)))
    #expect(first.id == uuid.filter { $0 != "-" } && second.id == first.id)
    #expect(first.span != second.span && first.span.utf8.count == 16)
    for other in ["", "x", "00000000-0000-0000-0000-000000000000", uuid + "0", uuid.uppercased()] {
      #expect(Trace(work: other) == nil, "\(other)")
    }
  }

  /// Examples of W3C Trace Context, level 1, 3.2.2.
  @Test(arguments: [
    ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true),
    ("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes-later", true),
    ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", false),
    ("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false),
    ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", false),
    ("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false),
    ("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false),
    ("00-4bf92f3577b34da6a3ce929d0e0e4736\n-00f067aa0ba902b7-01", false), ("", false),
  ])
  func `somebody else's trace goes on here under its id`(header: String, isGood: Bool) {
    let trace = Trace(parent: header)
    #expect((trace != nil) == isGood)
    if let trace { #expect(trace.id == "4bf92f3577b34da6a3ce929d0e0e4736" && trace.span != "00f067aa0ba902b7") }
  }

  @Test func `tasks that are started within know what is worked at`() async {
    let trace = Trace.make()
    await Trace.$current.withValue(trace) {
      async let inner = Trace.current
      #expect(await inner == trace)
    }
    #expect(Trace.current == nil)
  }
}
