internal import CCurl
import Connecting
import Glibc
import Kernel

/// Requests to other machines through libcurl, one after the other on the thread that made the session; connections are
/// kept between them.
///
/// Never follows a redirect, asks no proxy, reads no file of the machine's for credentials, and speaks nothing but the
/// protocol it is asked for. What it throws names the host and what went wrong, never a credential or an answer's words.
final class RemoteSession {
  let limits: RemoteLimits
  private let cancellation: RemoteCancellation?
  private let curl: UnsafeMutableRawPointer

  init(_ limits: RemoteLimits = RemoteLimits(), cancellation: RemoteCancellation? = nil) {
    _ = Self.isReady
    self.limits = limits
    self.cancellation = cancellation
    curl = curl_easy_init()!
  }

  deinit { curl_easy_cleanup(curl) }

  private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

  /// Everything about one request.
  struct Request {
    var address: RemoteAddress
    /// Nil for what the protocol does by itself: GET, or a download.
    var method: String?
    var headers: [String] = []
    /// `user:password`.
    var credentials: String?
    /// `aws:amz:region:s3`.
    var signature: String?
    /// Sent as the body; `bodySize` bytes.
    var body: ((UnsafeMutableRawPointer, Int) throws(ConnectorError) -> Int)?
    var bodySize = 0
    /// Without a body in the answer.
    var isHead = false
    var options: (_ set: Options) -> Void = { _ in }
  }

  /// Sets what only one protocol needs.
  struct Options {
    let curl: UnsafeMutableRawPointer
    func number(_ option: CURLoption, _ value: Int) { sj_curl_number(curl, option, value) }
    func offset(_ option: CURLoption, _ value: Int) { sj_curl_offset(curl, option, value) }
    func text(_ option: CURLoption, _ value: String) { sj_curl_text(curl, option, value) }
    /// The body of a POST, copied by libcurl.
    func posted(_ body: [UInt8]) {
      number(CURLOPT_POST, 1)
      offset(CURLOPT_POSTFIELDSIZE_LARGE, body.count)
      body.withUnsafeBytes { bytes in
        guard let start = bytes.baseAddress else { return }
        sj_curl_text(curl, CURLOPT_COPYPOSTFIELDS, start.assumingMemoryBound(to: CChar.self))
      }
    }
    func list(_ option: CURLoption, _ value: HeaderList) { sj_curl_list(curl, option, value.first) }
  }

  struct Answer {
    var status: Int
    /// Names in small letters.
    var headers: [(name: String, value: String)]
    /// Seconds since 1970, where the protocol tells.
    var modified: Int?
    var code: CURLcode
  }

  /// Hands the answer's bytes to `sink` as they come. What libcurl calls an error comes back as the answer's code where
  /// `accepts` has it.
  func perform(
    _ request: Request, accepts: Set<UInt32> = [],
    _ sink: (UnsafeRawBufferPointer) throws(ConnectorError) -> Void
  ) throws(ConnectorError) -> Answer {
    try withoutActuallyEscaping(sink) { sink throws(ConnectorError) in
      let call = Call(sink, request.body, cancellation)
      curl_easy_reset(curl)
      let headers = HeaderList(request.headers)
      set(request, headers)
      let code = withExtendedLifetime((call, headers)) {
        sj_curl_callbacks(curl, Unmanaged.passUnretained(call).toOpaque(), onBytes, onHeader, onBody, onProgress)
        return curl_easy_perform(curl)
      }
      // Nothing of this request stays in the handle, its credentials least of all.
      defer { curl_easy_reset(curl) }
      if let failure = call.failure { throw failure }
      guard code == CURLE_OK || accepts.contains(code.rawValue) else {
        throw RemoteErrors.error(code, request.address)
      }
      // To libcurl an answer that ends in the middle of its headers is one without a body.
      if code == CURLE_OK, request.address.scheme != .sftp, !call.hasAllHeaders {
        throw RemoteErrors.error(CURLE_PARTIAL_FILE, request.address)
      }
      let modified = Int(sj_curl_filetime(curl))
      return Answer(
        status: sj_curl_status(curl), headers: call.headers, modified: modified < 0 ? nil : modified, code: code)
    }
  }

  private func set(_ request: Request, _ headers: HeaderList) {
    let options = Options(curl: curl)
    options.text(CURLOPT_URL, request.address.text)
    options.text(CURLOPT_PROTOCOLS_STR, request.address.scheme.rawValue)
    options.text(CURLOPT_PROXY, "")
    options.number(CURLOPT_NOSIGNAL, 1)
    options.number(CURLOPT_FOLLOWLOCATION, 0)
    options.number(CURLOPT_PATH_AS_IS, 1)
    options.number(CURLOPT_FILETIME, 1)
    options.number(CURLOPT_CONNECTTIMEOUT_MS, Int(limits.connect.inMilliseconds))
    options.number(CURLOPT_LOW_SPEED_LIMIT, 1)
    options.number(CURLOPT_LOW_SPEED_TIME, max(1, Int(limits.stall.inMilliseconds / 1000)))
    if request.address.scheme == .https { options.number(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2)) }
    if let credentials = request.credentials {
      // Apart, so that a colon in the password or the user is one.
      let parts = credentials.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      options.text(CURLOPT_USERNAME, String(parts[0]))
      if parts.count == 2 { options.text(CURLOPT_PASSWORD, String(parts[1])) }
    }
    if let signature = request.signature { options.text(CURLOPT_AWS_SIGV4, signature) }
    options.list(CURLOPT_HTTPHEADER, headers)
    if request.isHead { options.number(CURLOPT_NOBODY, 1) }
    if request.body != nil {
      options.number(CURLOPT_UPLOAD, 1)
      options.offset(CURLOPT_INFILESIZE_LARGE, request.bodySize)
    }
    if let method = request.method { options.text(CURLOPT_CUSTOMREQUEST, method) }
    request.options(options)
  }
}

/// Lines of a header, or commands of SFTP, as libcurl wants them.
final class HeaderList {
  private(set) var first: UnsafeMutablePointer<curl_slist>?

  init(_ lines: [String]) {
    for line in lines { first = curl_slist_append(first, line) }
  }

  deinit { curl_slist_free_all(first) }
}

/// One request under way, as the callbacks see it.
private final class Call {
  let sink: (UnsafeRawBufferPointer) throws(ConnectorError) -> Void
  let body: ((UnsafeMutableRawPointer, Int) throws(ConnectorError) -> Int)?
  let cancellation: RemoteCancellation?
  var headers: [(name: String, value: String)] = []
  private var headerBytes = 0
  /// The empty line behind them came.
  private(set) var hasAllHeaders = false
  /// Thrown once libcurl has let go.
  var failure: ConnectorError?

  init(
    _ sink: @escaping (UnsafeRawBufferPointer) throws(ConnectorError) -> Void,
    _ body: ((UnsafeMutableRawPointer, Int) throws(ConnectorError) -> Int)?, _ cancellation: RemoteCancellation?
  ) {
    self.sink = sink
    self.body = body
    self.cancellation = cancellation
  }

  func take(_ bytes: UnsafeRawBufferPointer) -> Int {
    do throws(ConnectorError) {
      try sink(bytes)
      return bytes.count
    } catch {
      failure = error
      return -1
    }
  }

  func takeHeader(_ bytes: UnsafeRawBufferPointer) -> Int {
    headerBytes += bytes.count
    guard headerBytes <= 256 << 10 else { return -1 }
    let line = String(decoding: bytes, as: UTF8.self)
    // Of several answers (100 Continue) the last counts.
    if line.hasPrefix("HTTP/") { (headers, hasAllHeaders) = ([], false) }
    if line == "\r\n" || line == "\n" { hasAllHeaders = true }
    guard let colon = line.firstIndex(of: ":") else { return bytes.count }
    let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
    let end = value.lastIndex { !$0.isWhitespace }
    headers.append((line[..<colon].lowercased(), end.map { String(value[...$0]) } ?? ""))
    return bytes.count
  }

  func give(_ target: UnsafeMutableRawPointer, _ count: Int) -> Int {
    guard let body else { return 0 }
    do throws(ConnectorError) { return try body(target, count) } catch {
      failure = error
      return Int(CURL_READFUNC_ABORT)
    }
  }
}

private func call(_ owner: UnsafeMutableRawPointer?) -> Call {
  Unmanaged<Call>.fromOpaque(owner.unsafelyUnwrapped).takeUnretainedValue()
}

private let onBytes: sj_curl_transfer = { bytes, size, count, owner in
  call(owner).take(UnsafeRawBufferPointer(start: bytes, count: size * count))
}

private let onHeader: sj_curl_transfer = { bytes, size, count, owner in
  call(owner).takeHeader(UnsafeRawBufferPointer(start: bytes, count: size * count))
}

private let onBody: sj_curl_transfer = { bytes, size, count, owner in
  guard let bytes else { return 0 }
  return call(owner).give(UnsafeMutableRawPointer(bytes), size * count)
}

private let onProgress: sj_curl_progress = { owner, _, _, _, _ in
  call(owner).cancellation?.isCancelled == true ? 1 : 0
}
