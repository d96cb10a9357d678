// swift-tools-version: 6.3
import PackageDescription

// The one picture of who may import whom. A target imports what stands in its row and nothing else: the build runs
// with --explicit-target-dependency-import-check error, and every warning is an error.
// docs/ARCHITECTURE.md has a paragraph on each.

typealias Dependency = Target.Dependency

let asyncHTTPClient: Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let grdb: Dependency = .product(name: "GRDB", package: "GRDB.swift")
let grdbSQLite: Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")
let hummingbird: Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTLS: Dependency = .product(name: "HummingbirdTLS", package: "hummingbird")
let httpTypes: Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let nioCore: Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioHTTP1: Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioSSL: Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let logging: Dependency = .product(name: "Logging", package: "swift-log")
let lifecycle: Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals: Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let arguments: Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let yaml: Dependency = .product(name: "Yams", package: "Yams")

struct Room {
  var name: String
  var folder: String
  var uses: [Dependency]
  var tests: [Dependency]? = nil
  /// Folders under the tests that hold no sources; tests find them beside themselves.
  var testFiles: [String] = []
  /// Builds a program of its own, for measuring or for tests that kill it.
  var isProgram = false
}

let platform: [Room] = [
  Room(name: "Kernel", folder: "Platform", uses: ["CEmbedded"], tests: ["CEmbedded"]),
  Room(name: "Deadlines", folder: "Platform", uses: ["Kernel", "CEmbedded"], tests: ["Kernel"]),
  Room(name: "NationalCrypto", folder: "Platform", uses: ["COpenSSL"], tests: []),
  Room(name: "Storage", folder: "Platform", uses: ["Kernel"], tests: ["Kernel", "TestKit"]),
  Room(
    name: "StorageSQLite", folder: "Platform", uses: ["Storage", "Kernel", grdb, grdbSQLite],
    tests: ["Storage", "Kernel", "TestKit"]),
  Room(
    name: "StoragePostgres", folder: "Platform", uses: ["Storage", "Kernel", "CLibPQ"],
    tests: ["Storage", "Kernel", "TestKit"]),
  Room(
    name: "Jobs", folder: "Platform", uses: ["Storage", "Kernel", lifecycle, logging],
    tests: ["Storage", "Kernel", "TestKit", lifecycle, logging]),
  Room(name: "Connecting", folder: "Platform", uses: ["Kernel"], tests: ["Kernel"]),
  Room(name: "JSONBytes", folder: "Platform", uses: ["Connecting"], tests: ["Connecting"]),
  Room(
    name: "Remote", folder: "Platform", uses: ["CCurl", "Connecting", "Kernel"],
    tests: ["Connecting", "Kernel", "TestKit"]),
  Room(name: "Conformance", folder: "Platform", uses: ["Connecting", "Kernel"]),
  Room(
    name: "Reshaping", folder: "Platform", uses: ["Connecting", "NationalCrypto", "Kernel"],
    tests: ["Connecting", "NationalCrypto", "Kernel"]),
  Room(
    name: "Transfer", folder: "Platform",
    uses: ["Reshaping", "Connecting", "NationalCrypto", "Kernel", "CStripes"],
    tests: [
      "Reshaping", "CStripes", "Connecting", "ConnectorFiles", "ConnectorMariaDB", "ConnectorMessages",
      "ConnectorPostgreSQL", "ConnectorSQLite", "NationalCrypto", "Kernel", "Remote", "TestKit", "transfer-torture",
    ]),
  Room(
    name: "transfer-bench", folder: "Tools",
    uses: [
      "Transfer", "Reshaping", "Connecting", "ConnectorFiles", "ConnectorMariaDB", "ConnectorODBC",
      "ConnectorPostgreSQL", "ConnectorSQLite", "Kernel", "TestKit",
    ], isProgram: true),
  Room(
    name: "transfer-torture", folder: "Tools",
    uses: [
      "Transfer", "Connecting", "ConnectorFiles", "ConnectorMariaDB", "ConnectorMessages", "ConnectorPostgreSQL",
      "ConnectorSQLite", "Kernel", "NationalCrypto", "TestKit",
    ], isProgram: true),
  Room(
    name: "Calendars", folder: "Platform", uses: ["Deadlines", "Storage", "Kernel"],
    tests: ["Deadlines", "Storage", "Kernel", "TestKit"]),
  Room(
    name: "Spreadsheets", folder: "Platform", uses: ["Kernel", "CXLSXWriter", "CArchive", "CExpat"],
    tests: ["Kernel"], testFiles: ["Fixtures"]),
  Room(name: "Idempotency", folder: "Platform", uses: ["Storage", "Kernel"], tests: ["Storage", "Kernel", "TestKit"]),
  Room(name: "Inbox", folder: "Platform", uses: ["Storage", "Kernel"], tests: ["Storage", "Kernel", "TestKit"]),
  Room(
    name: "Attachments", folder: "Platform", uses: ["NationalCrypto", "Connecting", "Storage", "Kernel", "CArchive"],
    tests: ["NationalCrypto", "Storage", "Kernel", "TestKit"]),
  Room(name: "Web", folder: "Platform", uses: ["Kernel", "CEmbedded"], tests: ["Kernel"]),
  Room(
    name: "WebServer", folder: "Platform",
    uses: [
      "Web", "Connecting", "NationalCrypto", "Kernel", hummingbird, hummingbirdCore, hummingbirdTLS, httpTypes, nioCore,
      nioSSL,
      logging, lifecycle,
    ],
    tests: ["Web", "NationalCrypto", "Kernel", logging, lifecycle]),
  Room(
    name: "Probing", folder: "Platform",
    uses: ["Connecting", "Kernel", asyncHTTPClient, nioCore, nioHTTP1, nioSSL],
    tests: ["Kernel", "TestKit", "Web", "WebServer", logging, nioSSL]),
  Room(name: "TestKit", folder: "Platform", uses: ["Storage", "StorageSQLite", "StoragePostgres", "Kernel"]),
]

let libraries = platform.filter { !$0.isProgram }.map(\.name)

let contexts: [Room] = [
  context("Audit", []),
  context("Identity", ["Audit", "CArgon2", "CQRCode"]),
  context("Inventory", ["Identity", "Audit"]),
  context("FrontNodes", ["Inventory", "Identity", "Audit"]),
  context("Catalog", ["Inventory", "Identity", "Audit", "Spreadsheets", "Attachments"]),
  context("Mounting", ["Catalog", "Inventory", "Identity", "Audit"]),
  context("Feedback", ["Catalog", "Inventory", "Identity", "Audit"]),
  context("Census", ["Catalog", "Inventory", "Identity", "Audit", "Spreadsheets"]),
  context("Sharing", ["Catalog", "Inventory", "Identity", "Audit", "Attachments"]),
  context("Exchange", ["Sharing", "Catalog", "Inventory", "Identity", "Audit"]),
  context("Supervision", ["Exchange", "Sharing", "Catalog", "Inventory", "Identity", "Audit"]),
]

let connectors: [Room] = [
  Room(
    name: "ConnectorPostgreSQL", folder: "Connectors", uses: ["Connecting", "Kernel", "CLibPQ"],
    tests: ["Conformance", "Connecting", "Kernel", "TestKit"]),
  Room(
    name: "ConnectorSQLite", folder: "Connectors", uses: ["Connecting", "Kernel", "CSQLite"],
    tests: ["Conformance", "Connecting", "Kernel", "TestKit"]),
  Room(
    name: "ConnectorFiles", folder: "Connectors",
    uses: ["Connecting", "JSONBytes", "Kernel", "NationalCrypto", "Remote", "Spreadsheets"],
    tests: [
      "Conformance", "Connecting", "JSONBytes", "Kernel", "NationalCrypto", "Remote", "Spreadsheets", "TestKit",
    ]),
  Room(
    name: "ConnectorHTTP", folder: "Connectors", uses: ["Connecting", "JSONBytes", "Kernel", "Remote"],
    tests: ["Conformance", "Connecting", "Kernel", "Remote", "TestKit"]),
  Room(
    name: "ConnectorMessages", folder: "Connectors",
    uses: ["Connecting", "JSONBytes", "Kernel", "NationalCrypto", "Remote"],
    tests: [
      "Conformance", "Connecting", "ConnectorSQLite", "JSONBytes", "Kernel", "NationalCrypto", "Remote", "TestKit",
    ]),
  Room(
    name: "ConnectorMariaDB", folder: "Connectors", uses: ["Connecting", "Kernel", "CMariaDB"],
    tests: ["Conformance", "Connecting", "Kernel", "TestKit", "CMariaDB"]),
  Room(
    name: "ConnectorODBC", folder: "Connectors", uses: ["Connecting", "Kernel", "CODBC"],
    tests: ["Conformance", "Connecting", "Kernel", "TestKit"]),
]

let product: [Room] = [
  Room(name: "Demo", folder: "", uses: ["Kernel", "CSQLite"], tests: ["Kernel", "TestKit"]),
  Room(
    name: "App", folder: "",
    uses: (libraries.filter { !["TestKit", "Conformance"].contains($0) } + contexts.map(\.name) + connectors.map(\.name))
      .map { .target(name: $0) } + ["Demo", "CEmbedded", arguments, yaml, logging, lifecycle, unixSignals],
    tests: (libraries + contexts.map(\.name) + connectors.map(\.name)).map { .target(name: $0) } + ["CSQLite"]),
]

/// A context stands on the platform below it and on the contexts it names, and on nothing beside or above it.
func context(_ name: String, _ below: [String]) -> Room {
  let ground: [Dependency] = [
    "Kernel", "Deadlines", "NationalCrypto", "Storage", "Jobs", "Connecting", "Reshaping", "Transfer", "Calendars",
    "Inbox", "Web", "CEmbedded", logging, lifecycle,
  ]
  let under = below.map { Dependency.target(name: $0) }
  return Room(
    name: name, folder: "Contexts", uses: ground + under,
    tests: [
      "Kernel", "Deadlines", "NationalCrypto", "Storage", "Jobs", "Connecting", "Transfer", "Calendars", "Inbox", "Web",
      "TestKit", logging,
    ] + under + (below.contains("Attachments") ? [] : ["Attachments"]))
}

let rooms = platform + contexts + connectors + product

let package = Package(
  name: "sanjiang",
  platforms: [.macOS(.v15)],
  products: [.executable(name: "sanjiang", targets: ["sanjiang"])],
  dependencies: [
    .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
    .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
    .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
    .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
  ],
  targets: [
    .systemLibrary(name: "CLibPQ", path: "Sources/Platform/CLibPQ", pkgConfig: "libpq"),
    .systemLibrary(name: "COpenSSL", path: "Sources/Platform/COpenSSL", pkgConfig: "openssl"),
    .systemLibrary(name: "CArgon2", path: "Sources/Platform/CArgon2", pkgConfig: "libargon2"),
    .systemLibrary(name: "CQRCode", path: "Sources/Platform/CQRCode", pkgConfig: "libqrencode"),
    .systemLibrary(name: "CSQLite", path: "Sources/Platform/CSQLite", pkgConfig: "sqlite3"),
    .systemLibrary(name: "CMariaDB", path: "Sources/Platform/CMariaDB", pkgConfig: "libmariadb"),
    .systemLibrary(name: "CODBC", path: "Sources/Platform/CODBC", pkgConfig: "odbc"),
    .systemLibrary(name: "CXLSXWriter", path: "Sources/Platform/CXLSXWriter", pkgConfig: "xlsxwriter"),
    .systemLibrary(name: "CArchive", path: "Sources/Platform/CArchive", pkgConfig: "libarchive"),
    .systemLibrary(name: "CExpat", path: "Sources/Platform/CExpat", pkgConfig: "expat"),
    .systemLibrary(name: "CCurl", path: "Sources/Platform/CCurl", pkgConfig: "libcurl"),
    .target(name: "CEmbedded", path: "Sources/Platform/CEmbedded", exclude: ["files"]),
    .target(name: "CStripes", path: "Sources/Platform/CStripes"),
    .executableTarget(name: "sanjiang", dependencies: ["App"], path: "Sources/sanjiang"),
  ]
    + rooms.map { room in
      let path = room.folder.isEmpty ? "Sources/\(room.name)" : "Sources/\(room.folder)/\(room.name)"
      return room.isProgram
        ? .executableTarget(name: room.name, dependencies: room.uses, path: path)
        : .target(name: room.name, dependencies: room.uses, path: path)
    }
    + rooms.compactMap { room in
      room.tests.map {
        .testTarget(
          name: "\(room.name)Tests", dependencies: [.target(name: room.name)] + $0, exclude: room.testFiles)
      }
    }
)

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("ImmutableWeakCaptures"),
  .enableUpcomingFeature("InferIsolatedConformances"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .treatAllWarnings(as: .error),
]
for target in package.targets where target.type != .system && !["CEmbedded", "CStripes"].contains(target.name) {
  target.swiftSettings = settings + (target.swiftSettings ?? [])
}
