import Census
import Kernel
import Testing

@Suite struct StateTests {
  @Test func `a return moves along its legal edges and along no other`() {
    let legal: [(ReturnState, ReturnEvent, ReturnState)] = [
      (.preparing, .prepared, .filling), (.filling, .fill, .filling), (.returned, .fill, .returned),
      (.filling, .submit, .submitted), (.returned, .submit, .submitted), (.submitted, .recall, .filling),
      (.submitted, .sendBack, .returned), (.submitted, .accept, .accepted), (.accepted, .sendBack, .returned),
    ]
    for state in ReturnState.allCases {
      for event in ReturnEvent.allCases {
        let expected = legal.first { $0.0 == state && $0.1 == event }?.2
        #expect(state.after(event) == expected, "\(state) \(event)")
        if expected == nil {
          #expect(throws: Refusal.self, "\(state) \(event)") { try state.applying(event) }
        }
      }
    }
  }

  @Test func `a campaign is prepared, opened and closed, once each and in this order`() {
    let legal: [(CampaignState, CampaignEvent, CampaignState)] = [
      (.preparing, .ready, .open), (.open, .close, .closed),
    ]
    for state in CampaignState.allCases {
      for event in CampaignEvent.allCases {
        let expected = legal.first { $0.0 == state && $0.1 == event }?.2
        #expect(state.after(event) == expected, "\(state) \(event)")
        if expected == nil { #expect(throws: Refusal.self) { try state.applying(event) } }
      }
    }
  }

  @Test func `storage is read and written in GB without losing a byte's thousand`() {
    let given: [(String, Int?)] = [
      ("", 0), ("0", 0), ("12.5", 12_500_000), ("0.000001", 1), ("1,234.5", 1_234_500_000), ("１２．５", 12_500_000),
      ("1000000", 1_000_000_000_000), (" 3 ", 3_000_000), ("1000000.000001", nil), ("0.0000001", nil), ("-1", nil),
      ("12G", nil), (".5", nil), ("5.", nil), ("1e3", nil), ("不详", nil), ("99999999999999999999", nil), ("1.2.3", nil),
    ]
    for (text, value) in given { #expect(SixQuantities.read(text, .storage) == value, "\(text)") }
    for value in [0, 1, 12_500_000, 999_999, 1_000_000, 1_000_000_000_000] {
      #expect(SixQuantities.read(SixQuantities.plain(value, .storage), .storage) == value)
      #expect(SixQuantities.read(SixQuantities.shown(value, .storage), .storage) == value)
    }
    #expect(SixQuantities.shown(1_234_500_000, .storage) == "1,234.5")
  }

  @Test func `records are whole numbers`() {
    let given: [(String, Int?)] = [
      ("", 0), ("7", 7), ("1,000", 1000), ("7.0", 7), ("7.5", nil), ("-7", nil), ("七", nil),
      ("1000000000000", 1_000_000_000_000),
      ("1000000000001", nil),
    ]
    for (text, value) in given { #expect(SixQuantities.read(text, .records) == value, "\(text)") }
  }

  @Test func `a part is never more than its whole`() {
    for quantity in Quantity.allCases {
      guard let whole = quantity.whole else { continue }
      var numbers = SixQuantities { _ in 5 }
      #expect(numbers.faults().isEmpty)
      numbers[quantity] = 6
      #expect(numbers.faults("x.").map(\.field) == ["x.\(quantity.rawValue)"])
      numbers[whole] = 6
      #expect(numbers.faults().isEmpty)
    }
    var negative = SixQuantities.zero
    negative[.records] = -1
    #expect(negative.faults().map(\.field) == ["records", "sharedRecords", "openRecords"])
  }

  @Test func `a million of the largest resources still add up`() {
    #expect(SixQuantities.most.multipliedReportingOverflow(by: 1_000_000).overflow == false)
  }
}
