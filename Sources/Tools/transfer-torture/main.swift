// Kills deliveries, servers and connections at random moments and looks whether anything is lost, or twice, or said and
// not true. Not part of the product.
//
//   transfer-torture run [--seed N] [--runs N] [--lanes N] [--minutes N] [--only HEX] [--kind KIND] [--short] [--loud]
//   transfer-torture deliver …      one delivery in a process of its own, for those who kill it (see Worker.swift)

import Foundation

let arguments = Array(CommandLine.arguments.dropFirst())

func option(_ name: String) -> String? {
  arguments.firstIndex(of: "--" + name).flatMap { arguments.indices.contains($0 + 1) ? arguments[$0 + 1] : nil }
}

switch arguments.first {
case "deliver":
  guard let worker = Worker(Array(arguments.dropFirst())) else {
    print("deliver KIND SOURCE KIND TARGET MODE RUN FENCE KEEPER [--OPTION VALUE …]")
    exit(2)
  }
  exit(try await worker.deliver())
case "run" where option("kind").map { Torture.kinds.contains($0) } ?? true:
  let only = option("only").flatMap { UInt64($0, radix: 16) }
  let torture = Torture(
    seed: option("seed").flatMap { UInt64($0) } ?? UInt64.random(in: 1...999_999_999),
    runs: only == nil ? option("runs").flatMap { Int($0) } ?? 1000 : 1,
    lanes: only == nil ? option("lanes").flatMap { Int($0) } ?? 2 : 1,
    minutes: option("minutes").flatMap { Double($0) } ?? 30, only: only,
    kind: option("kind"), isShort: arguments.contains("--short"),
    isLoud: arguments.contains("--loud"))
  exit(try await torture.run() ? 0 : 1)
default:
  print(
    """
    usage: transfer-torture run [--seed N] [--runs N] [--lanes N] [--minutes N] [--only HEX] [--kind KIND] [--short] [--loud]
      KIND is one of \(Torture.kinds.joined(separator: ", "))
    """)
  exit(2)
}
