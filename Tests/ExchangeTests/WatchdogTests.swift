import Connecting
import Foundation
import Kernel
import Synchronization
import Testing

@testable import Exchange
@testable import Transfer

@Suite struct WatchdogTests {
  @Test func `what gives no sign of life is interrupted, and told as something to try again`() async throws {
    let pulse = DeliveryPulse()
    let isInterrupted = Mutex(false)
    pulse.watch { isInterrupted.withLock { $0 = true } }
    let error = await #expect(throws: ConnectorError.self) {
      try await Watchdog(pulse: pulse, limit: .milliseconds(100)).guarding {
        while !isInterrupted.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(5)) }
        throw ConnectorError(.permanent, "test.broken", Text("断了", "broken"))
      }
    }
    #expect(error?.code == "exchange.stalled" && error?.kind == .retryable)
  }

  @Test func `what gives signs of life may take as long as it likes`() async throws {
    let pulse = DeliveryPulse()
    // On a thread of its own, as the engine works: a busy machine may keep tasks waiting.
    let value = try await Watchdog(pulse: pulse, limit: .seconds(5)).guarding {
      try await BlockingThread.run {
        for _ in 0..<60 {
          Thread.sleep(forTimeInterval: 0.1)
          pulse.beat()
        }
        return 7
      }
    }
    #expect(value == 7 && !pulse.isStalled)
  }

  @Test func `an error of the delivery's own comes through as it is`() async throws {
    let error = await #expect(throws: ConnectorError.self) {
      try await Watchdog(pulse: DeliveryPulse(), limit: .seconds(60)).guarding {
        throw ConnectorError(.permanent, "test.broken", Text("断了", "broken"))
      }
    }
    #expect(error?.code == "test.broken")
  }

  @Test func `what is opened after an interruption is interrupted at once`() {
    let pulse = DeliveryPulse()
    pulse.interrupt()
    let isInterrupted = Mutex(false)
    pulse.watch { isInterrupted.withLock { $0 = true } }
    #expect(isInterrupted.withLock { $0 })
  }
}
