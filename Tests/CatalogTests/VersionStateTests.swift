import Catalog
import Kernel
import Testing

@Suite struct `A version's states` {
  /// Every edge that exists; everything else must not.
  static let edges: [VersionState: [VersionEvent: VersionState]] = [
    .draft: [.edit: .draft, .submit: .submitted, .discard: .discarded],
    .submitted: [.recall: .draft, .sendBack: .returned, .approve: .approved],
    .returned: [.edit: .draft, .submit: .submitted, .discard: .discarded],
    .approved: [.publish: .published, .supersede: .superseded],
    .published: [.supersede: .superseded], .superseded: [:], .discarded: [:],
  ]

  @Test(arguments: VersionState.allCases, VersionEvent.allCases)
  func `only the edges that make sense exist`(state: VersionState, event: VersionEvent) throws {
    let expected = Self.edges[state]?[event]
    #expect(state.after(event) == expected)
    if let expected {
      #expect(try state.applying(event) == expected)
    } else {
      let refusal = #expect(throws: Refusal.self) { try state.applying(event) }
      #expect(refusal?.kind == .conflict)
    }
  }

  @Test func `only drafts and returned versions can be written in`() {
    #expect(VersionState.allCases.filter(\.isEditable) == [.draft, .returned])
  }
}
