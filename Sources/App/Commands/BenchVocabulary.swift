/// What offices really call their data, most frequent first: of this the benchmark's entries are put together.
enum BenchVocabulary {
  static let places = split(
    """
    青海省 西宁市 海东市 海西州 海北州 海南州 黄南州 果洛州 玉树州 城东区 城中区 城西区 城北区 湟中区 大通县 湟源县 乐都区 平安区 民和县 互助县 化隆县 循化县 \
    格尔木市 德令哈市 茫崖市 乌兰县 都兰县 天峻县 大柴旦 门源县 祁连县 海晏县 刚察县 共和县 同德县 贵德县 兴海县 贵南县 同仁市 尖扎县 泽库县 河南县 玛沁县 班玛县 \
    甘德县 达日县 久治县 玛多县 玉树市 杂多县 称多县 治多县 囊谦县 曲麻莱县
    """)

  static let offices = split(
    """
    民政局 人力资源和社会保障局 市场监督管理局 公安局 自然资源局 教育局 卫生健康委员会 医疗保障局 住房和城乡建设局 交通运输局 农业农村局 生态环境局 水利局 应急管理局 \
    税务局 财政局 司法局 发展和改革委员会 退役军人事务局 残疾人联合会 林业和草原局 文化和旅游局 统计局 审计局 科学技术局 工业和信息化局 商务局 气象局 民族宗教事务委员会 \
    广播电视局 体育局 乡村振兴局 信访局 地震局 公积金管理中心 不动产登记中心 行政审批局 城市管理局 消防救援支队 档案馆
    """)

  static let subjects = split(
    """
    企业法人 社会救助 不动产 机动车 医疗机构 低保对象 学籍 婚姻登记 残疾人 户籍人口 社会保险 住房公积金 食品经营 药品生产 特种设备 建设工程 道路运输 驾驶证 草原承包 \
    个体工商户 行政处罚 行政许可 纳税信用 高校毕业生 养老机构 养老金 失业保险 工伤认定 职业资格 执业医师 护士执业 律师执业 公证机构 社会组织 慈善组织 基层自治 殡葬服务 \
    孤儿保障 特困供养 临时救助 退役军人 烈士褒扬 优抚对象 安置房 保障房 公租房 房屋租赁 物业服务 施工许可 竣工验收 招标投标 工程质量 农民工工资 劳动合同 劳动仲裁 \
    就业困难人员 创业担保贷款 职业培训 技能鉴定 人才引进 事业单位 编制人员 预算执行 政府采购 国有资产 专项资金 惠农补贴 耕地保护 土地承包 宅基地 农药经营 种子生产 兽药经营 \
    动物检疫 畜禽屠宰 农机购置 高标准农田 水资源 取水许可 河道采砂 水土保持 水库大坝 饮用水源 排污许可 空气质量 水质监测 危险废物 辐射安全 环境影响评价 固体废物 噪声监测 \
    林权 湿地 野生动物 自然保护区 国家公园 矿业权 地质灾害 测绘成果 国土空间规划 建设用地 安全生产 危险化学品 烟花爆竹 矿山安全 消防验收 应急预案 避难场所 救灾物资 \
    气象观测 雷电防护 地震台站 文物保护 非物质文化遗产 旅行社 导游 景区 星级饭店 娱乐场所 网吧 出版物 电影院 体育场馆 运动员 彩票 学校 幼儿园 校外培训 教师资格 \
    学生资助 营养改善 义务教育 职业教育 民办学校 疫苗接种 传染病 血液管理 母婴保健 放射诊疗 公共场所卫生 饮用水卫生 医保参保 医保结算 定点药店 药品采购 大病保险 \
    电力用户 供水用户 供暖用户 燃气用户 公交线路 出租汽车 客运站 货运车辆 公路养护 桥梁隧道 超限运输 船舶 快递企业 邮政网点 外商投资 进出口 成品油 粮食储备 价格监测 \
    信用修复 失信被执行人 公益诉讼 法律援助 人民调解 社区矫正 司法鉴定 宗教活动场所 民族成份 少数民族语言 扶贫搬迁 防返贫监测 光伏扶贫 信访事项 政务热线 电子证照
    """)

  static let matters = split(
    """
    登记 许可 备案 处罚 核验 变更 注销 年报 缴费 检查 审批 发放 认定 监测 统计 评估 公示 资格复核 延续 换证 补办 投诉 举报 整改 抽检 验收 培训 考核 报名 签约 巡查 普查 \
    征收 补偿 鉴定 调解 申报 复议
    """)

  static let kinds = split("信息 基本信息 明细 名录 记录 结果 台账 汇总 清单 统计表 档案 目录 证书信息 状态信息 历史记录 数据集 年度报告 月报")

  /// Name and column of items.
  static let items = split(
    """
    统一社会信用代码/uscc 公民身份号码/id_no 姓名/xm 单位名称/dwmc 登记日期/djrq 法定代表人/fddbr 联系电话/lxdh 住所/zs 经营范围/jyfw 状态/zt 登记机关/djjg 行政区划代码/xzqh \
    有效期起/yxqq 有效期止/yxqz 性别/xb 出生日期/csrq 民族/mz 户籍地址/hjdz 证书编号/zsbh 许可内容/xknr 办理机构/bljg 办理时间/blsj 办理结果/bljg2 备注/bz 更新时间/gxsj \
    注册资本/zczb 成立日期/clrq 企业类型/qylx 所属行业/sshy 从业人数/cyrs 项目名称/xmmc 项目编号/xmbh 建设单位/jsdw 施工单位/sgdw 监理单位/jldw 合同金额/htje 开工日期/kgrq \
    竣工日期/jgrq 面积/mj 坐落/zl 不动产单元号/bdcdyh 权利类型/qllx 使用期限/syqx 用途/yt 车牌号码/cphm 车辆类型/cllx 发动机号/fdjh 车架号/cjh 准驾车型/zjcx 档案编号/dabh \
    缴费基数/jfjs 缴费月数/jfys 缴费金额/jfje 参保地/cbd 参保状态/cbzt 险种类型/xzlx 发放金额/ffje 发放日期/ffrq 开户银行/khyh 银行账号/yhzh 家庭人口/jtrk 月人均收入/yrjsr 救助类型/jzlx \
    致贫原因/zpyy 残疾类别/cjlb 残疾等级/cjdj 监护人/jhr 学校名称/xxmc 年级/nj 班级/bj 学籍号/xjh 专业名称/zymc 学历/xl 学位/xw 毕业时间/bysj 执业地点/zydd 执业类别/zylb 执业范围/zyfw \
    床位数/cws 诊疗科目/zlkm 主要负责人/zyfzr 质量负责人/zlfzr 仓库地址/ckdz 产品名称/cpmc 规格型号/ggxh 生产批号/scph 抽样单位/cydw 检验结论/jyjl 不合格项目/bhgxm 处罚决定书文号/cfjdswh \
    违法事实/wfss 处罚依据/cfyj 处罚种类/cfzl 罚款金额/fkje 听证情况/tzqk 执行情况/zxqk 监测点位/jcdw 监测指标/jczb 监测值/jcz 采样时间/cysj 经度/jd 纬度/wd 海拔/hb 流量/ll 水位/sw \
    降水量/jsl 气温/qw 风速/fs 物种名称/wzmc 保护级别/bhjb 树种/sz 林班号/lbh 草场面积/ccmj 载畜量/zxl 承包户/cbh 补贴标准/btbz 机具型号/jjxh 种植面积/zzmj 养殖数量/yzsl 检疫证号/jyzh \
    灾害类型/zhlx 威胁人数/wxrs 隐患等级/yhdj 责任人/zrr 整改期限/zgqx 投资金额/tzje 资金来源/zjly 采购方式/cgfs 中标单位/zbdw 评审专家/pszj 招标编号/zbbh 线路名称/xlmc 里程/lc \
    站点名称/zdmc 桥梁类型/qllx2 建成年份/jcnf 文物级别/wwjb 年代/nd 收藏单位/scdw 传承人/ccr 场馆面积/cgmj 比赛成绩/bscj 疫苗名称/ymmc 接种剂次/jzjc 诊断编码/zdbm 结算金额/jsje
    """)

  /// Characters of which towns and villages are named; they make the long tail of rare pairs.
  static let syllables = split(
    "扎 西 多 吉 才 让 卓 玛 加 桑 尕 措 曲 麻 莱 巴 隆 唐 沟 尖 岗 查 日 群 科 拉 乙 亚 峡 滩 寨 甘 卡 马 营 丹 红 柳 湾 石 乃 亥 察 汗 乌 德 东 香 格 娘 结 古 毛 庄 上 下 新 和 平 安"
  )
  static let settlements = split("镇 乡 村 街道 社区 牧委会")

  private static func split(_ text: String) -> [String] {
    text.split(separator: " ").map(String.init)
  }
}
