/** Networks that validateNetwork refuses or accepts: the inside of `<network>`, without a name where none matters. */
export interface Refused {
  xml: string
  /** The field that the error names. */
  field: string
  message?: string
  /**
   * Whether libvirt's parser refuses it too; undefined: some versions do. What it does not, fails at the start of the
   * network, or never works.
   */
  libvirt: boolean | undefined
}

const too = { libvirt: true }
const notLibvirt = { libvirt: false }
const someLibvirts = { libvirt: undefined }
const ip = (inside: string): string => `<ip address='10.0.0.1' prefix='24'>${inside}</ip>`
const dhcp = (inside: string): string => ip(`<dhcp>${inside}</dhcp>`)
const ip6 = (inside: string): string => `<ip family='ipv6' address='fd00::1' prefix='64'><dhcp>${inside}</dhcp></ip>`
const range = (start: string, end: string, inside = ''): string =>
  `<range start='${start}' end='${end}'>${inside}</range>`
const route = (attributes: string): string => `${ip('')}<route ${attributes}/>`
const mac = `mac='52:54:00:00:00:01'`

export const refused: Refused[] = [
  { xml: `<name>a/b</name>`, field: 'name', ...too },
  { xml: `<name>.</name>`, field: 'name', ...notLibvirt },
  { xml: `<name>..</name>`, field: 'name', ...notLibvirt },
  { xml: `<name> </name>`, field: 'name', ...notLibvirt },
  { xml: `<name>a&#10;b</name>`, field: 'name', ...notLibvirt },
  { xml: `<name>${'ä'.repeat(101)}</name>`, field: 'name', message: '200 bytes', ...notLibvirt },

  { xml: `<bridge name='sixteen-bytes-xx'/>`, field: 'bridge.name', message: '1 to 15 bytes', ...notLibvirt },
  { xml: `<bridge name='a b'/>`, field: 'bridge.name', ...notLibvirt },
  { xml: `<bridge name='a:b'/>`, field: 'bridge.name', ...notLibvirt },
  { xml: `<bridge name='a/b'/>`, field: 'bridge.name', ...notLibvirt },
  { xml: `<bridge name='..'/>`, field: 'bridge.name', ...notLibvirt },
  { xml: `<bridge zone='a b'/>`, field: 'bridge.zone', ...notLibvirt },
  { xml: `<mtu size='67'/>`, field: 'mtu.size', message: '68 to 65535', ...notLibvirt },
  { xml: `<mtu size='65536'/>`, field: 'mtu.size', ...notLibvirt },
  { xml: `<domain name='a b'/>`, field: 'domain.name', message: 'DNS name', ...notLibvirt },
  { xml: `<domain localOnly='yes'/>`, field: 'domain.name', ...notLibvirt },

  { xml: `<forward/>`, field: 'ip', message: 'at least one ip', ...too },
  { xml: `<forward mode='route'/>`, field: 'ip', ...too },
  { xml: `<forward mode='open' dev='eth0'/>${ip('')}`, field: 'forward.dev', ...too },
  { xml: `<forward mode='open'><interface dev='eth0'/></forward>${ip('')}`, field: 'forward.interface', ...too },
  { xml: `<forward><interface dev='a'/><interface dev='b'/></forward>${ip('')}`, field: 'forward.interface', ...too },
  { xml: `<forward dev='a'><interface dev='b'/></forward>${ip('')}`, field: 'forward.dev', ...too },
  { xml: `<forward mode='bridge'><interface dev='a'/><interface dev='a'/></forward>`,
    field: 'forward.interface[1].dev', ...too },
  { xml: `<forward mode='route'><nat/></forward>${ip('')}`, field: 'forward.nat', ...too },
  { xml: `<forward><nat><address start='1.1.1.2' end='1.1.1.1'/></nat></forward>${ip('')}`,
    field: 'forward.nat.address.end', ...too },
  { xml: `<forward><nat><port start='2' end='1'/></nat></forward>${ip('')}`, field: 'forward.nat.port.end', ...too },
  { xml: `<forward><nat><port start='0' end='1'/></nat></forward>${ip('')}`,
    field: 'forward.nat.port.start', ...notLibvirt },
  { xml: `<forward mode='bridge'/><bridge name='br0' stp='on'/>`, field: 'bridge.stp', ...too },
  { xml: `<forward mode='bridge'/><bridge name='br0' zone='a'/>`, field: 'bridge.zone', ...too },
  { xml: `<forward mode='bridge'/><bridge name='br0'/><mtu size='1400'/>`, field: 'mtu', ...too },
  { xml: `<forward mode='bridge' dev='eth0'/><bridge name='br0'/>`, field: 'bridge.name', ...too },
  { xml: `<forward mode='bridge'/><bridge name='br0'/>${ip('')}`, field: 'ip', message: 'no ip with', ...notLibvirt },
  { xml: `<forward mode='bridge'/><mac address='52:54:00:00:00:01'/>`, field: 'mac', ...notLibvirt },
  { xml: `<forward mode='vepa' dev='eth0'/><bridge name='br0'/>`, field: 'bridge', ...too },

  { xml: `<ip address='10.0.0.1' netmask='255.255.255.0' prefix='24'/>`, field: 'ip[0].netmask', ...too },
  { xml: `<ip address='10.0.0.1' prefix='33'/>`, field: 'ip[0].prefix', ...too },
  { xml: `<ip address='10.0.0.1' prefix='0'/>`, field: 'ip[0].prefix', ...notLibvirt },
  { xml: `<ip address='10.0.0.1' netmask='255.0.255.0'/>`,
    field: 'ip[0].netmask', message: 'without holes', ...notLibvirt },
  { xml: `<ip family='ipv6' address='fd00::1' netmask='255.0.0.0'/>`, field: 'ip[0].netmask', ...too },
  { xml: `<ip family='ipv6' address='10.0.0.1'/>`, field: 'ip[0].family', message: 'ipv4', ...too },
  { xml: `<ip address='fd00::1'/>`, field: 'ip[0].family', message: 'ipv6', ...too },
  { xml: `<ip address='10.0.0.0' prefix='24'/>`, field: 'ip[0].address', message: 'network address', ...notLibvirt },
  { xml: `<ip address='10.0.0.255' prefix='24'/>`,
    field: 'ip[0].address', message: 'broadcast address', ...notLibvirt },
  { xml: `<ip family='ipv6' address='fd00::' prefix='64'/>`,
    field: 'ip[0].address', message: 'network address', ...notLibvirt },
  { xml: `<ip address='127.0.0.1'/>`, field: 'ip[0].address', message: 'loopback', ...notLibvirt },
  { xml: `<ip address='224.0.0.1' prefix='24'/>`, field: 'ip[0].address', message: 'multicast', ...notLibvirt },
  { xml: `<ip address='0.0.0.0' prefix='24'/>`, field: 'ip[0].address', ...notLibvirt },
  { xml: `${ip('')}<ip address='10.0.0.129' prefix='25'/>`,
    field: 'ip[1].address', message: 'overlaps ip[0]', ...notLibvirt },
  { xml: ip(`<tftp root='tftp'/>`), field: 'ip[0].tftp.root', ...notLibvirt },
  { xml: ip(`<tftp root='/a&#10;b'/>`), field: 'ip[0].tftp.root', message: 'one line', ...notLibvirt },

  { xml: dhcp(range('10.0.0.9', '10.0.0.2')), field: 'ip[0].dhcp.range[0].end', message: 'not below start', ...too },
  { xml: dhcp(range('10.0.0.2', '10.0.1.9')), field: 'ip[0].dhcp.range[0].end', message: 'in 10.0.0.0/24', ...too },
  { xml: dhcp(range('10.0.1.2', '10.0.1.9')), field: 'ip[0].dhcp.range[0].start', ...too },
  { xml: dhcp(range('10.0.0.0', '10.0.0.9')), field: 'ip[0].dhcp.range[0].start', message: 'network address', ...too },
  { xml: dhcp(range('10.0.0.2', '10.0.0.255')),
    field: 'ip[0].dhcp.range[0].end', message: 'broadcast address', ...too },
  { xml: dhcp(range('fd00::2', 'fd00::9')), field: 'ip[0].dhcp.range[0].start', ...too },
  { xml: dhcp(range('10.0.0.2', '10.0.0.3') + range('10.0.0.5', '10.0.0.4')),
    field: 'ip[0].dhcp.range[1].end', ...too },
  { xml: dhcp(range('10.0.0.2', '10.0.0.9', `<lease expiry='1'/>`)),
    field: 'ip[0].dhcp.range[0].lease.expiry', ...too },
  { xml: dhcp(range('10.0.0.2', '10.0.0.9', `<lease expiry='119' unit='seconds'/>`)),
    field: 'ip[0].dhcp.range[0].lease.expiry', ...too },
  { xml: `<ip address='10.0.0.1' prefix='8'><dhcp>${range('10.0.0.1', '10.1.0.0')}</dhcp></ip>`,
    field: 'ip[0].dhcp.range[0].end', message: '65535', ...someLibvirts },
  { xml: ip6(range('fd00::1', 'fd00::1:0')), field: 'ip[0].dhcp.range[0].end', message: '65535', ...too },
  { xml: dhcp(`<host ip='10.0.0.2'/>`), field: 'ip[0].dhcp.host[0].mac', ...too },
  { xml: dhcp(`<host id='00:01:02' ip='10.0.0.2'/>`), field: 'ip[0].dhcp.host[0].mac', ...too },
  { xml: dhcp(`<host ${mac} ip='10.0.1.2'/>`), field: 'ip[0].dhcp.host[0].ip', message: '10.0.0.0/24', ...notLibvirt },
  { xml: dhcp(`<host ${mac} name='a b' ip='10.0.0.2'/>`), field: 'ip[0].dhcp.host[0].name', ...notLibvirt },
  { xml: dhcp(`<host ${mac} ip='10.0.0.2'/><host ${mac} ip='10.0.0.3'/>`),
    field: 'ip[0].dhcp.host[1].mac', ...notLibvirt },
  { xml: dhcp(`<host name='a' ip='10.0.0.2'/><host name='A' ip='10.0.0.3'/>`),
    field: 'ip[0].dhcp.host[1].name', ...notLibvirt },
  { xml: dhcp(`<host name='a' ip='10.0.0.2'/><host name='b' ip='10.0.0.2'/>`),
    field: 'ip[0].dhcp.host[1].ip', ...notLibvirt },
  { xml: ip6(`<host ${mac} ip='fd00::2'/>`), field: 'ip[0].dhcp.host[0].mac', ...too },
  { xml: ip6(`<host ip='fd00::2'/>`), field: 'ip[0].dhcp.host[0].id', ...too },
  { xml: ip6(`<host id=':::' ip='fd00::2'/>`), field: 'ip[0].dhcp.host[0].id', ...notLibvirt },
  { xml: dhcp(`<bootp server='10.0.0.1'/>`), field: 'ip[0].dhcp.bootp.file', ...someLibvirts },
  { xml: `${dhcp('')}<ip address='10.0.1.1' prefix='24'><dhcp/></ip>`,
    field: 'ip[1].dhcp', message: 'at most one', ...notLibvirt },

  { xml: route(`address='10.1.0.0' prefix='16' gateway='10.2.0.1'`),
    field: 'route[0].gateway', message: '10.0.0.0/24', ...too },
  { xml: route(`address='10.1.0.1' prefix='16' gateway='10.0.0.2'`),
    field: 'route[0].address', message: '10.1.0.0', ...too },
  { xml: route(`address='10.1.0.0' gateway='10.0.0.2'`), field: 'route[0].address', message: '/8 is 10.0.0.0', ...too },
  { xml: route(`address='10.1.0.0' prefix='16' netmask='255.255.0.0' gateway='10.0.0.2'`),
    field: 'route[0].netmask', ...too },
  { xml: route(`address='fd01::' prefix='64' gateway='fd00::2'`), field: 'route[0].family', ...too },
  { xml: route(`family='ipv6' address='fd01::' prefix='64' gateway='10.0.0.2'`), field: 'route[0].gateway', ...too },
  { xml: `<route address='10.1.0.0' prefix='16' gateway='10.2.0.1'/>`,
    field: 'route[0].gateway', message: 'none', ...too },

  { xml: `<dns><forwarder/></dns>`, field: 'dns.forwarder[0].addr', ...too },
  { xml: `<dns enable='no'><txt name='a' value='b'/></dns>`, field: 'dns.txt', ...too },
  { xml: `<dns><txt name='a b' value='c'/></dns>`, field: 'dns.txt[0].name', ...too },
  { xml: `<dns><txt name='a' value='b&#10;server=1.2.3.4'/></dns>`,
    field: 'dns.txt[0].value', message: 'one line', ...someLibvirts },
  { xml: `<dns><host ip='10.0.0.2'><hostname>a b</hostname></host></dns>`,
    field: 'dns.host[0].hostname[0]', ...notLibvirt },
  { xml: `<dns><srv service='a' protocol='tcp' port='1'/></dns>`, field: 'dns.srv[0].port', ...too },
  { xml: `<dns><srv service='a' protocol='icmp'/></dns>`, field: 'dns.srv[0].protocol', ...notLibvirt },

  { xml: `<vlan/>`, field: 'vlan.tag', ...too },
  { xml: `<vlan trunk='no'><tag id='1'/><tag id='2'/></vlan>`, field: 'vlan.trunk', ...too },
  { xml: `<vlan trunk='no'><tag id='1' nativeMode='tagged'/></vlan>`, field: 'vlan.trunk', ...too },
  { xml: `<vlan><tag id='1' nativeMode='tagged'/><tag id='2' nativeMode='untagged'/></vlan>`,
    field: 'vlan.tag[1].nativeMode', ...too },
  { xml: `<bandwidth><inbound burst='1'/></bandwidth>`, field: 'bandwidth.inbound.average', ...too },
  { xml: `<bandwidth><inbound average='2' floor='1'/></bandwidth>`, field: 'bandwidth.inbound.floor', ...too },
  { xml: `<bandwidth><outbound average='2' floor='1'/></bandwidth>`, field: 'bandwidth.outbound.floor', ...too },
  { xml: `<virtualport type='802.1Qbg'><parameters profileid='a'/></virtualport>`,
    field: 'virtualport.parameters.profileid', ...too },
  { xml: `<virtualport><parameters profileid='a'/></virtualport>`, field: 'virtualport.type', ...too },
  { xml: `<portgroup name='a'/><portgroup name='a'/>`, field: 'portgroup[1].name', ...notLibvirt },
  { xml: `<portgroup name='a' default='yes'/><portgroup name='b' default='yes'/>`,
    field: 'portgroup[1].default', ...notLibvirt },
  { xml: `<ip address='10.0.0.1'><dhcp><host name='a' ip='10.0.0.2'><lease expiry='5000000000'/></host></dhcp></ip>`,
    field: 'ip[0].dhcp.host[0].lease.expiry', message: '0 to 4294967295', ...notLibvirt },
  { xml: `<bridge delay='5000000000'/>`, field: 'bridge.delay', message: '0 to 4294967295', ...notLibvirt },
  { xml: `<portgroup name='a'><vlan/></portgroup>`, field: 'portgroup[0].vlan.tag', ...too },
]

/** Libvirt accepts all of these, too, its schema included. */
export const accepted: string[] = [
  ``,
  `<bridge name='virbr7' stp='off' delay='2' macTableManager='libvirt'/>`,
  `<bridge name='fifteen-bytes-x'/><mtu size='65535'/><mac address='52:54:00:00:00:01'/>`,
  `<forward/>${ip('')}`,
  `<forward dev='eth0'><nat ipv6='yes'><address start='1.1.1.1' end='1.1.1.1'/><port start='1' end='65535'/></nat>
    </forward>${ip('')}`,
  `<forward mode='route' dev='eth0'/>${ip('')}`,
  `<forward mode='open'/>${ip('')}`,
  `<forward mode='bridge'/><bridge name='br0'/><virtualport type='openvswitch'><parameters profileid='a'/></virtualport>
    <portgroup name='a' default='yes'><vlan trunk='yes'><tag id='1'/><tag id='2' nativeMode='untagged'/></vlan>
    </portgroup>
    <portgroup name='b'><bandwidth><inbound average='1' peak='2' burst='3'/></bandwidth></portgroup>`,
  `<forward mode='bridge'><interface dev='eth0'/><interface dev='eth1'/></forward>`,
  `<forward mode='passthrough'><pf dev='eth0'/></forward>`,
  `<forward mode='hostdev' managed='yes'><driver name='vfio'/>
    <address type='pci' domain='0' bus='3' slot='0x0a' function='1'/></forward>`,
  `<ip address='10.0.0.0' prefix='31'/>`,
  `<ip address='10.0.0.1' prefix='32'/>`,
  `<ip address='192.168.1.1'/>`,
  `<ip family='ipv4' address='10.0.0.1' netmask='255.255.255.252' localPtr='yes'><tftp root='/srv/tftp'/></ip>`,
  dhcp(range('10.0.0.1', '10.0.0.254') + `<bootp file='pxelinux.0' server='10.0.0.1'/>`),
  dhcp(range('10.0.0.2', '10.0.0.9', `<lease expiry='2'/>`) + range('10.0.0.20', '10.0.0.29', `<lease expiry='0'/>`)),
  dhcp(`<host ${mac} name='a.example.com' ip='10.0.0.2'><lease expiry='1' unit='hours'/></host>
    <host name='b' ip='10.0.0.3'/>`),
  ip6(`${range('fd00::', 'fd00::ffff')}<host id='00:03:00:01:52:54:00:12:34:56' ip='fd00::2'/>
    <host name='b' ip='fd00::3'/>`),
  `${dhcp('')}<ip address='10.0.1.1' prefix='24'/><ip family='ipv6' address='fd00::1' prefix='127'><dhcp/></ip>`,
  route(`address='10.1.0.0' netmask='255.255.0.0' gateway='10.0.0.2' metric='1'`),
  route(`address='0.0.0.0' gateway='10.0.0.2'`),
  `<ip family='ipv6' address='fd00::1'/><route family='ipv6' address='fd01::' prefix='32' gateway='fd00::2'/>`,
  `<domain name='example.com' localOnly='yes'/><dns forwardPlainNames='no'><forwarder domain='a.org' addr='fd00::53'/>
    <forwarder domain='b.org'/><txt name='a' value='b, c'/>
    <srv service='sip' protocol='udp' domain='a' target='b' port='1'/>
    <host ip='10.0.0.2'><hostname>a</hostname><hostname>b.c</hostname></host></dns>`,
  `<dns enable='no'/>`,
  `<port isolated='yes'/><bandwidth><inbound average='1'/><outbound average='1'/></bandwidth>`,
  `<metadata><a xmlns='urn:a' b='&quot;'>&lt;</a></metadata>`,
]
