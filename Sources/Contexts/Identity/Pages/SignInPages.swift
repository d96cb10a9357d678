import Kernel
import NationalCrypto
import Web

enum SignInPages {
  static func signIn(_ request: Request, next: String, entered: Fields = Fields(), refusal: Refusal? = nil) -> Page {
    let t = request.language
    return Page(
      Text("登录", "Sign in"), answering: refusal,
      body: """
        <div class="narrow"><h1>\(t("登录三江", "Sign in to Sanjiang"))</h1>\(faultSummary(t, refusal))
        \(form(request, action: "/sign-in", """
          <input type="hidden" name="next" value="\(next)">\
          \(field(t, Field("login", Text("用户名", "User name"), .text(maxLength: 64)), value: entered))\
          \(field(t, Field("password", Text("密码", "Password"), .password), value: Fields()))\
          <button class="primary">\(t("登录", "Sign in"))</button>
          """))</div>
        """)
  }

  static func secondFactor(_ request: Request, next: String, refusal: Refusal? = nil) -> Page {
    let t = request.language
    return Page(
      Text("第二步验证", "Second step"), answering: refusal,
      body: """
        <div class="narrow"><h1>\(t("第二步验证", "Second step"))</h1>\(faultSummary(t, refusal))
        \(form(request, action: "/sign-in/second-factor", """
          <input type="hidden" name="next" value="\(next)">\
          \(field(t, Field("code", Text("验证器上的六位数字", "Six digits of your authenticator"), .oneTimeCode), value: Fields(), faults: refusal?.faults ?? []))\
          <button class="primary">\(t("继续", "Continue"))</button>
          """))</div>
        """)
  }

  /// A new key in three ways: for a camera, for typing, for an authenticator on this device.
  static func key(_ text: String, login: String, _ t: Language) -> HTML {
    let address = SecondFactor.address(secret: text, login: login)
    return """
      <p>\(t("用手机验证器扫描下图，再输入它显示的六位数字。", "Scan this with your phone's authenticator, then enter the six digits it shows."))</p>\
      <p>\(QRPicture.of(address, Text("验证器密钥的二维码", "QR code of the authenticator's key"), t))</p>\
      <p>\(t("不能扫描时，手工输入密钥：", "If you cannot scan it, type this key:")) <span class="secret"><code>\(SecondFactor.grouped(text))</code></span></p>\
      <p><a href="\(address)">\(t("在本机的验证器里打开", "Open in an authenticator on this device"))</a></p>
      """
  }

  /// The roles ask for a second factor: it is set up before anything else.
  static func enrol(_ request: Request, secret: [UInt8], login: String, next: String, refusal: Refusal? = nil) -> Page {
    let t = request.language
    let text = TOTP.base32(secret)
    return Page(
      Text("启用第二因素", "Set up the second factor"), answering: refusal,
      body: """
        <div class="narrow"><h1>\(t("启用第二因素", "Set up the second factor"))</h1>\
        <p>\(t("您的角色须使用第二因素。", "Your role needs a second factor."))</p>\
        \(faultSummary(t, refusal))\(key(text, login: login, t))\
        \(form(request, action: "/sign-in/enrol", """
          <input type="hidden" name="next" value="\(next)"><input type="hidden" name="secret" value="\(secret.hex)">\
          \(field(t, Field("code", Text("六位数字", "Six digits"), .oneTimeCode), value: Fields(), faults: refusal?.faults ?? []))\
          <button class="primary">\(t("启用并登录", "Set up and sign in"))</button>
          """))</div>
        """)
  }

  static func changePassword(
    _ request: Request, action: String, forced: Bool, policy: PasswordPolicy, next: String = "/",
    refusal: Refusal? = nil
  ) -> Page {
    let t = request.language
    let faults = refusal?.faults ?? []
    let hint = Text(
      "\(policy.lengths.lowerBound) 个字符以上，不要用容易猜到的词。",
      "\(policy.lengths.lowerBound) characters or more, nothing easy to guess.")
    return Page(
      Text("修改密码", "Change password"), answering: refusal,
      body: """
        <div class="narrow"><h1>\(t("修改密码", "Change password"))</h1>\
        \(when: forced, "<p>\(t("您用的是一次性密码，请先换成自己的密码。", "You came with a one-time password; choose your own first."))</p>")\
        \(faultSummary(t, refusal))\(form(request, action: action, """
          <input type="hidden" name="next" value="\(next)">\
          \(field(t, Field("old", Text("现在的密码", "Present password"), .password), value: Fields(), faults: faults))\
          \(field(t, Field("new", Text("新密码", "New password"), .newPassword, hint: hint), value: Fields(), faults: faults))\
          \(field(t, Field("again", Text("再输入一次", "Once more"), .newPassword), value: Fields(), faults: faults))\
          <button class="primary">\(t("修改", "Change"))</button>
          """))</div>
        """)
  }
}

extension Page {
  /// A form that comes back with what was wrong: a pause that has to be kept says so in its status too, and how long.
  fileprivate init(_ title: Text, answering refusal: Refusal?, body: HTML) {
    let status =
      switch refusal?.kind {
      case nil: 200
      case .tooMany: 429
      case .unavailable: 503
      default: 422
      }
    self.init(title, status: status, body: body)
    retryAfter = status == 429 || status == 503 ? refusal?.retryAfter ?? 5 : nil
  }
}
