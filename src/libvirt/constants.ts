/**
 * libvirt's numbers. A table is called as its C type without `vir`, a key as its C constant without the prefix that the
 * table's constants share: `NetworkUpdateSection.DNS_HOST` is VIR_NETWORK_SECTION_DNS_HOST of virNetworkUpdateSection.
 * `Flags` that are not `…Flags` in C (`DomainDestroyFlags`) leave out `Value` or `Values` too. Sentinels (`_LAST`) are
 * left out.
 *
 * Source: libvirt's headers, 9.0.0; later numbers say so. Checked against the header by test/libvirt/constants.test.ts.
 */

// Errors

/** NO_NETWORK_METADATA: libvirt ≥ 9.7; AGENT_COMMAND_*: ≥ 11.2. */
export const ErrorNumber = {
  OK: 0, INTERNAL_ERROR: 1, NO_MEMORY: 2, NO_SUPPORT: 3, UNKNOWN_HOST: 4, NO_CONNECT: 5, INVALID_CONN: 6,
  INVALID_DOMAIN: 7, INVALID_ARG: 8, OPERATION_FAILED: 9, GET_FAILED: 10, POST_FAILED: 11, HTTP_ERROR: 12,
  SEXPR_SERIAL: 13, NO_XEN: 14, XEN_CALL: 15, OS_TYPE: 16, NO_KERNEL: 17, NO_ROOT: 18, NO_SOURCE: 19, NO_TARGET: 20,
  NO_NAME: 21, NO_OS: 22, NO_DEVICE: 23, NO_XENSTORE: 24, DRIVER_FULL: 25, CALL_FAILED: 26, XML_ERROR: 27,
  DOM_EXIST: 28, OPERATION_DENIED: 29, OPEN_FAILED: 30, READ_FAILED: 31, PARSE_FAILED: 32, CONF_SYNTAX: 33,
  WRITE_FAILED: 34, XML_DETAIL: 35, INVALID_NETWORK: 36, NETWORK_EXIST: 37, SYSTEM_ERROR: 38, RPC: 39, GNUTLS_ERROR: 40,
  NO_DOMAIN: 42, NO_NETWORK: 43, INVALID_MAC: 44, AUTH_FAILED: 45, INVALID_STORAGE_POOL: 46, INVALID_STORAGE_VOL: 47,
  NO_STORAGE_POOL: 49, NO_STORAGE_VOL: 50, INVALID_NODE_DEVICE: 52, NO_NODE_DEVICE: 53, NO_SECURITY_MODEL: 54,
  OPERATION_INVALID: 55, NO_INTERFACE: 57, INVALID_INTERFACE: 58, MULTIPLE_INTERFACES: 59, INVALID_NWFILTER: 61,
  NO_NWFILTER: 62, BUILD_FIREWALL: 63, INVALID_SECRET: 65, NO_SECRET: 66, CONFIG_UNSUPPORTED: 67, OPERATION_TIMEOUT: 68,
  MIGRATE_PERSIST_FAILED: 69, HOOK_SCRIPT_FAILED: 70, INVALID_DOMAIN_SNAPSHOT: 71, NO_DOMAIN_SNAPSHOT: 72,
  INVALID_STREAM: 73, ARGUMENT_UNSUPPORTED: 74, STORAGE_PROBE_FAILED: 75, STORAGE_POOL_BUILT: 76,
  SNAPSHOT_REVERT_RISKY: 77, OPERATION_ABORTED: 78, AUTH_CANCELLED: 79, NO_DOMAIN_METADATA: 80, MIGRATE_UNSAFE: 81,
  OVERFLOW: 82, BLOCK_COPY_ACTIVE: 83, OPERATION_UNSUPPORTED: 84, SSH: 85, AGENT_UNRESPONSIVE: 86, RESOURCE_BUSY: 87,
  ACCESS_DENIED: 88, DBUS_SERVICE: 89, STORAGE_VOL_EXIST: 90, CPU_INCOMPATIBLE: 91, XML_INVALID_SCHEMA: 92,
  MIGRATE_FINISH_OK: 93, AUTH_UNAVAILABLE: 94, NO_SERVER: 95, NO_CLIENT: 96, AGENT_UNSYNCED: 97, LIBSSH: 98,
  DEVICE_MISSING: 99, INVALID_NWFILTER_BINDING: 100, NO_NWFILTER_BINDING: 101, INVALID_DOMAIN_CHECKPOINT: 102,
  NO_DOMAIN_CHECKPOINT: 103, NO_DOMAIN_BACKUP: 104, INVALID_NETWORK_PORT: 105, NETWORK_PORT_EXIST: 106,
  NO_NETWORK_PORT: 107, NO_HOSTNAME: 108, CHECKPOINT_INCONSISTENT: 109, MULTIPLE_DOMAINS: 110, NO_NETWORK_METADATA: 111,
  AGENT_COMMAND_TIMEOUT: 112, AGENT_COMMAND_FAILED: 113,
} as const
/** The numbers of virErrorNumber that begin with VIR_WAR. */
export const WarningNumber = {
  NO_NETWORK: 41, NO_STORAGE: 48, NO_NODE: 51, NO_INTERFACE: 56, NO_NWFILTER: 60, NO_SECRET: 64,
} as const
export const ErrorDomain = {
  NONE: 0, XEN: 1, XEND: 2, XENSTORE: 3, SEXPR: 4, XML: 5, DOM: 6, RPC: 7, PROXY: 8, CONF: 9, QEMU: 10, NET: 11,
  TEST: 12, REMOTE: 13, OPENVZ: 14, XENXM: 15, STATS_LINUX: 16, LXC: 17, STORAGE: 18, NETWORK: 19, DOMAIN: 20, UML: 21,
  NODEDEV: 22, XEN_INOTIFY: 23, SECURITY: 24, VBOX: 25, INTERFACE: 26, ONE: 27, ESX: 28, PHYP: 29, SECRET: 30, CPU: 31,
  XENAPI: 32, NWFILTER: 33, HOOK: 34, DOMAIN_SNAPSHOT: 35, AUDIT: 36, SYSINFO: 37, STREAMS: 38, VMWARE: 39, EVENT: 40,
  LIBXL: 41, LOCKING: 42, HYPERV: 43, CAPABILITIES: 44, URI: 45, AUTH: 46, DBUS: 47, PARALLELS: 48, DEVICE: 49, SSH: 50,
  LOCKSPACE: 51, INITCTL: 52, IDENTITY: 53, CGROUP: 54, ACCESS: 55, SYSTEMD: 56, BHYVE: 57, CRYPTO: 58, FIREWALL: 59,
  POLKIT: 60, THREAD: 61, ADMIN: 62, LOGGING: 63, XENXL: 64, PERF: 65, LIBSSH: 66, RESCTRL: 67, FIREWALLD: 68,
  DOMAIN_CHECKPOINT: 69, TPM: 70, BPF: 71, CH: 72,
} as const
export const ErrorLevel = { NONE: 0, WARNING: 1, ERROR: 2 } as const

// Connections

export const ConnectFlags = { RO: 1, NO_ALIASES: 2 } as const
export const ConnectCredentialType = {
  USERNAME: 1, AUTHNAME: 2, LANGUAGE: 3, CNONCE: 4, PASSPHRASE: 5, ECHOPROMPT: 6, NOECHOPROMPT: 7, REALM: 8,
  EXTERNAL: 9,
} as const
export const ConnectCloseReason = { ERROR: 0, EOF: 1, KEEPALIVE: 2, CLIENT: 3 } as const
export const TypedParameterType = { INT: 1, UINT: 2, LLONG: 3, ULLONG: 4, DOUBLE: 5, BOOLEAN: 6, STRING: 7 } as const
export const IPAddrType = { IPV4: 0, IPV6: 1 } as const

// Networks

export const ConnectListAllNetworksFlags = {
  INACTIVE: 1, ACTIVE: 2, PERSISTENT: 4, TRANSIENT: 8, AUTOSTART: 16, NO_AUTOSTART: 32,
} as const
export const NetworkXMLFlags = { INACTIVE: 1 } as const
export const NetworkDefineFlags = { VALIDATE: 1 } as const
export const NetworkCreateFlags = { VALIDATE: 1 } as const
export const NetworkUpdateCommand = { NONE: 0, MODIFY: 1, DELETE: 2, ADD_LAST: 3, ADD_FIRST: 4 } as const
export const NetworkUpdateSection = {
  NONE: 0, BRIDGE: 1, DOMAIN: 2, IP: 3, IP_DHCP_HOST: 4, IP_DHCP_RANGE: 5, FORWARD: 6, FORWARD_INTERFACE: 7,
  FORWARD_PF: 8, PORTGROUP: 9, DNS_HOST: 10, DNS_TXT: 11, DNS_SRV: 12,
} as const
export const NetworkUpdateFlags = { CURRENT: 0, LIVE: 1, CONFIG: 2 } as const
/** libvirt ≥ 9.7 */
export const NetworkMetadataType = { DESCRIPTION: 0, TITLE: 1, ELEMENT: 2 } as const
/** METADATA_CHANGE: libvirt ≥ 9.8. */
export const NetworkEventID = { LIFECYCLE: 0, METADATA_CHANGE: 1 } as const
export const NetworkEventLifecycleType = { DEFINED: 0, UNDEFINED: 1, STARTED: 2, STOPPED: 3 } as const
export const NetworkPortCreateFlags = { RECLAIM: 1, VALIDATE: 2 } as const

// Domains

export const ConnectListAllDomainsFlags = {
  ACTIVE: 1, INACTIVE: 2, PERSISTENT: 4, TRANSIENT: 8, RUNNING: 16, PAUSED: 32, SHUTOFF: 64, OTHER: 128,
  MANAGEDSAVE: 256, NO_MANAGEDSAVE: 512, AUTOSTART: 1024, NO_AUTOSTART: 2048, HAS_SNAPSHOT: 4096, NO_SNAPSHOT: 8192,
  HAS_CHECKPOINT: 16384, NO_CHECKPOINT: 32768,
} as const
export const DomainDefineFlags = { VALIDATE: 1 } as const
export const DomainCreateFlags = {
  NONE: 0, START_PAUSED: 1, START_AUTODESTROY: 2, START_BYPASS_CACHE: 4, START_FORCE_BOOT: 8, START_VALIDATE: 16,
  START_RESET_NVRAM: 32,
} as const
export const DomainDestroyFlags = { DEFAULT: 0, GRACEFUL: 1, REMOVE_LOGS: 2 } as const
export const DomainShutdownFlags = {
  DEFAULT: 0, ACPI_POWER_BTN: 1, GUEST_AGENT: 2, INITCTL: 4, SIGNAL: 8, PARAVIRT: 16,
} as const
export const DomainRebootFlags = {
  DEFAULT: 0, ACPI_POWER_BTN: 1, GUEST_AGENT: 2, INITCTL: 4, SIGNAL: 8, PARAVIRT: 16,
} as const
export const DomainUndefineFlags = {
  MANAGED_SAVE: 1, SNAPSHOTS_METADATA: 2, NVRAM: 4, KEEP_NVRAM: 8, CHECKPOINTS_METADATA: 16, TPM: 32, KEEP_TPM: 64,
} as const
export const DomainXMLFlags = { SECURE: 1, INACTIVE: 2, UPDATE_CPU: 4, MIGRATABLE: 8 } as const
export const DomainModificationImpact = { CURRENT: 0, LIVE: 1, CONFIG: 2 } as const
export const DomainDeviceModifyFlags = { CURRENT: 0, LIVE: 1, CONFIG: 2, FORCE: 4 } as const
export const DomainMetadataType = { DESCRIPTION: 0, TITLE: 1, ELEMENT: 2 } as const
export const DomainInterfaceAddressesSource = { LEASE: 0, AGENT: 1, ARP: 2 } as const
export const DomainState = {
  NOSTATE: 0, RUNNING: 1, BLOCKED: 2, PAUSED: 3, SHUTDOWN: 4, SHUTOFF: 5, CRASHED: 6, PMSUSPENDED: 7,
} as const
export const DomainNostateReason = { UNKNOWN: 0 } as const
export const DomainRunningReason = {
  UNKNOWN: 0, BOOTED: 1, MIGRATED: 2, RESTORED: 3, FROM_SNAPSHOT: 4, UNPAUSED: 5, MIGRATION_CANCELED: 6,
  SAVE_CANCELED: 7, WAKEUP: 8, CRASHED: 9, POSTCOPY: 10, POSTCOPY_FAILED: 11,
} as const
export const DomainBlockedReason = { UNKNOWN: 0 } as const
export const DomainPausedReason = {
  UNKNOWN: 0, USER: 1, MIGRATION: 2, SAVE: 3, DUMP: 4, IOERROR: 5, WATCHDOG: 6, FROM_SNAPSHOT: 7, SHUTTING_DOWN: 8,
  SNAPSHOT: 9, CRASHED: 10, STARTING_UP: 11, POSTCOPY: 12, POSTCOPY_FAILED: 13,
} as const
export const DomainShutdownReason = { UNKNOWN: 0, USER: 1 } as const
export const DomainShutoffReason = {
  UNKNOWN: 0, SHUTDOWN: 1, DESTROYED: 2, CRASHED: 3, MIGRATED: 4, SAVED: 5, FAILED: 6, FROM_SNAPSHOT: 7, DAEMON: 8,
} as const
export const DomainCrashedReason = { UNKNOWN: 0, PANICKED: 1 } as const
export const DomainPMSuspendedReason = { UNKNOWN: 0 } as const

// Domain events

/** NIC_MAC_CHANGE: libvirt ≥ 11.2. */
export const DomainEventID = {
  LIFECYCLE: 0, REBOOT: 1, RTC_CHANGE: 2, WATCHDOG: 3, IO_ERROR: 4, GRAPHICS: 5, IO_ERROR_REASON: 6, CONTROL_ERROR: 7,
  BLOCK_JOB: 8, DISK_CHANGE: 9, TRAY_CHANGE: 10, PMWAKEUP: 11, PMSUSPEND: 12, BALLOON_CHANGE: 13, PMSUSPEND_DISK: 14,
  DEVICE_REMOVED: 15, BLOCK_JOB_2: 16, TUNABLE: 17, AGENT_LIFECYCLE: 18, DEVICE_ADDED: 19, MIGRATION_ITERATION: 20,
  JOB_COMPLETED: 21, DEVICE_REMOVAL_FAILED: 22, METADATA_CHANGE: 23, BLOCK_THRESHOLD: 24, MEMORY_FAILURE: 25,
  MEMORY_DEVICE_SIZE_CHANGE: 26, NIC_MAC_CHANGE: 27,
} as const
export const DomainEventType = {
  DEFINED: 0, UNDEFINED: 1, STARTED: 2, SUSPENDED: 3, RESUMED: 4, STOPPED: 5, SHUTDOWN: 6, PMSUSPENDED: 7, CRASHED: 8,
} as const
export const DomainEventDefinedDetailType = { ADDED: 0, UPDATED: 1, RENAMED: 2, FROM_SNAPSHOT: 3 } as const
export const DomainEventUndefinedDetailType = { REMOVED: 0, RENAMED: 1 } as const
/** RECREATED: libvirt ≥ 11.6. */
export const DomainEventStartedDetailType = {
  BOOTED: 0, MIGRATED: 1, RESTORED: 2, FROM_SNAPSHOT: 3, WAKEUP: 4, RECREATED: 5,
} as const
export const DomainEventSuspendedDetailType = {
  PAUSED: 0, MIGRATED: 1, IOERROR: 2, WATCHDOG: 3, RESTORED: 4, FROM_SNAPSHOT: 5, API_ERROR: 6, POSTCOPY: 7,
  POSTCOPY_FAILED: 8,
} as const
export const DomainEventResumedDetailType = {
  UNPAUSED: 0, MIGRATED: 1, FROM_SNAPSHOT: 2, POSTCOPY: 3, POSTCOPY_FAILED: 4,
} as const
/** RECREATED: libvirt ≥ 11.6. */
export const DomainEventStoppedDetailType = {
  SHUTDOWN: 0, DESTROYED: 1, CRASHED: 2, MIGRATED: 3, SAVED: 4, FAILED: 5, FROM_SNAPSHOT: 6, RECREATED: 7,
} as const
export const DomainEventShutdownDetailType = { FINISHED: 0, GUEST: 1, HOST: 2 } as const
export const DomainEventPMSuspendedDetailType = { MEMORY: 0, DISK: 1 } as const
export const DomainEventCrashedDetailType = { PANICKED: 0, CRASHLOADED: 1 } as const
export const ConnectDomainEventAgentLifecycleState = { CONNECTED: 1, DISCONNECTED: 2 } as const
export const ConnectDomainEventAgentLifecycleReason = { UNKNOWN: 0, DOMAIN_STARTED: 1, CHANNEL: 2 } as const

// Host interfaces, network filters

export const ConnectListAllInterfacesFlags = { INACTIVE: 1, ACTIVE: 2 } as const
export const InterfaceXMLFlags = { INACTIVE: 1 } as const
export const InterfaceDefineFlags = { VALIDATE: 1 } as const
export const NWFilterDefineFlags = { VALIDATE: 1 } as const
export const NWFilterBindingCreateFlags = { VALIDATE: 1 } as const

// Names of typed parameters

/** VIR_NETWORK_PORT_BANDWIDTH_* and VIR_DOMAIN_BANDWIDTH_*, the same. */
export const Bandwidth = {
  IN_AVERAGE: 'inbound.average', IN_PEAK: 'inbound.peak', IN_BURST: 'inbound.burst', IN_FLOOR: 'inbound.floor',
  OUT_AVERAGE: 'outbound.average', OUT_PEAK: 'outbound.peak', OUT_BURST: 'outbound.burst',
} as const
/** VIR_CONNECT_IDENTITY_* */
export const ConnectIdentity = {
  USER_NAME: 'user-name', UNIX_USER_ID: 'unix-user-id', GROUP_NAME: 'group-name', UNIX_GROUP_ID: 'unix-group-id',
  PROCESS_ID: 'process-id', PROCESS_TIME: 'process-time', SASL_USER_NAME: 'sasl-user-name',
  X509_DISTINGUISHED_NAME: 'x509-distinguished-name', SELINUX_CONTEXT: 'selinux-context',
} as const

// Reading them

type Table = Readonly<Record<string, number>>

/** The key of a number in a table; undefined for the numbers of a newer libvirt. */
export function keyOf<T extends Table>(table: T, value: number): (keyof T & string) | undefined {
  for (const key in table) if (table[key] === value) return key
  return undefined
}

/** What `label` gives: `FROM_SNAPSHOT` → `from-snapshot`. */
export type Label<T extends Table> = Kebab<keyof T & string>
type Kebab<K extends string> = K extends `${infer Head}_${infer Rest}` ? `${Lowercase<Head>}-${Kebab<Rest>}` : Lowercase<K>

/** `(DomainPausedReason, 7)` → `from-snapshot`; `unknown` for the numbers of a newer libvirt. */
export function label<T extends Table>(table: T, value: number): Label<T> | 'unknown' {
  const key = keyOf(table, value)
  return key === undefined ? 'unknown' : key.toLowerCase().replaceAll('_', '-') as Label<T>
}

/** `43` → `VIR_ERR_NO_NETWORK`; `VIR_ERR_<number>` for those of a newer libvirt. */
export function errorNumberName(code: number): string {
  const warning = keyOf(WarningNumber, code)
  return warning === undefined ? `VIR_ERR_${keyOf(ErrorNumber, code) ?? code}` : `VIR_WAR_${warning}`
}

/** `19` → `VIR_FROM_NETWORK`; `VIR_FROM_<number>` for those of a newer libvirt. */
export function errorDomainName(domain: number): string {
  return `VIR_FROM_${keyOf(ErrorDomain, domain) ?? domain}`
}
