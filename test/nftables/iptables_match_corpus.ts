/** Matches that a kernel may be built without, with every option: table, chain, options. A line that the kernel has tells for its group. */

export const matchCorpus: Readonly<Record<string, { ip?: readonly string[], ip6?: readonly string[] }>> = {
  ah: {
    ip: [
      String.raw`filter INPUT -p ah --ahspi 5`,
    ],
    ip6: [
      String.raw`filter INPUT -m ah`,
      String.raw`filter INPUT -p ah -m ah --ahspi 5`,
      String.raw`filter INPUT -p ah --ahspi 5:9 --ahlen 12`,
      String.raw`filter INPUT -p ah -m ah ! --ahspi 0 ! --ahlen 0 --ahres`,
      String.raw`filter INPUT -m ah --ahlen 4`,
    ],
  },
  bpf: {
    ip: [
      String.raw`filter INPUT -m bpf --bytecode "4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0"`,
      String.raw`filter INPUT -m bpf --bytecode "1,6 0 0 4294967295"`,
      String.raw`filter INPUT -m cpu --cpu 1 -m bpf --bytecode "1,6 0 0 0" -m cpu --cpu 2`,
    ],
  },
  cgroup: {
    ip: [
      String.raw`filter INPUT -m cgroup --path /`,
      String.raw`filter INPUT -m cgroup ! --path /`,
    ],
  },
  cluster: {
    ip: [
      String.raw`mangle PREROUTING -m cluster --cluster-total-nodes 2 --cluster-local-node 2 --cluster-hash-seed 0xfeedcafe`,
      String.raw`mangle PREROUTING -m cluster --cluster-total-nodes 32 ! --cluster-local-node 32 --cluster-hash-seed 7`,
      String.raw`mangle PREROUTING -m cluster --cluster-total-nodes 5 --cluster-local-nodemask 0x1f --cluster-hash-seed 0`,
    ],
  },
  connlabel: {
    ip: [
      String.raw`filter INPUT -m connlabel --label 40`,
      String.raw`filter INPUT -m connlabel ! --label 41 --set`,
      String.raw`filter INPUT -m connlabel --label 0x7f`,
      String.raw`filter INPUT -m connlabel --label 33 -j IDLETIMER --timeout 48 --label y`,
      String.raw`filter INPUT -j IDLETIMER --label z --timeout 48 -m connlabel --label 33`,
      String.raw`filter INPUT -m connmark --mark 1 -m mark --mark 2 -m connlabel --label 3`,
    ],
  },
  dccp: {
    ip: [
      String.raw`filter INPUT -p dccp -m dccp`,
      String.raw`filter INPUT -p dccp -m dccp --sport 5 ! --dport 7:9`,
      String.raw`filter INPUT -p dccp -m dccp --sport 1024:`,
      String.raw`filter INPUT -p dccp --dport 0:65535`,
      String.raw`filter INPUT -p dccp -m dccp --dccp-types REQUEST,RESPONSE,DATA,ACK,DATAACK,CLOSEREQ,CLOSE,RESET,SYNC,SYNCACK,INVALID`,
      String.raw`filter INPUT -p dccp -m dccp ! --dccp-types reset,data ! --dccp-option 7`,
      String.raw`filter INPUT -p dccp -m dccp --dccp-option 255`,
    ],
    ip6: [
      String.raw`filter INPUT -p dccp -m dccp --sport 5`,
    ],
  },
  dst: {
    ip6: [
      String.raw`filter INPUT -m dst`,
      String.raw`filter INPUT -m dst --dst-len 0`,
      String.raw`filter INPUT -m dst --dst-opts 149:92,12:12,123:12`,
      String.raw`filter INPUT -m dst ! --dst-len 42 --dst-opts 0,1,255`,
      String.raw`filter INPUT -m dst --dst-opts 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15:7,16`,
    ],
  },
  eui64: {
    ip6: [
      String.raw`filter INPUT -m eui64`,
      String.raw`filter INPUT -m eui64 -m comment --comment x -j ACCEPT`,
    ],
  },
  frag: {
    ip6: [
      String.raw`filter INPUT -m frag`,
      String.raw`filter INPUT -m frag --fragid 1:42`,
      String.raw`filter INPUT -m frag --fraglen 42`,
      String.raw`filter INPUT -m frag --fragres --fragmore`,
      String.raw`filter INPUT -m frag ! --fragid 1 ! --fraglen 42 --fragres --fragfirst --fraglast`,
    ],
  },
  hashlimit: {
    ip: [
      String.raw`filter INPUT -m hashlimit --hashlimit-upto 40/sec --hashlimit-burst 20 --hashlimit-mode srcip --hashlimit-name r1 --hashlimit-rate-match`,
      String.raw`filter INPUT -m hashlimit --hashlimit-above 5/min --hashlimit-mode srcip --hashlimit-name r2 --hashlimit-rate-match`,
      String.raw`filter INPUT -m hashlimit --hashlimit-above 7/hour --hashlimit-name r3 --hashlimit-rate-match --hashlimit-rate-interval 10`,
      String.raw`filter INPUT -m hashlimit --hashlimit-upto 40mb/s --hashlimit-mode srcip --hashlimit-name r4 --hashlimit-rate-match`,
      String.raw`filter INPUT -m hashlimit --hashlimit-upto 40kb/s --hashlimit-mode dstip --hashlimit-name r5 --hashlimit-rate-match --hashlimit-rate-interval 10`,
      String.raw`filter INPUT -m hashlimit --hashlimit-upto 1/day --hashlimit-name r6 --hashlimit-rate-match --hashlimit-htable-expire 1000`,
      String.raw`filter INPUT -m hashlimit --hashlimit-upto 333/hour --hashlimit-name r7 --hashlimit-rate-match --hashlimit-rate-interval 1`,
    ],
  },
  hbh: {
    ip6: [
      String.raw`filter INPUT -m hbh`,
      String.raw`filter INPUT -m hbh --hbh-len 42`,
      String.raw`filter INPUT -m hbh ! --hbh-len 42 --hbh-opts 1:2,23:42,4:6,8:10,42,23,4:5`,
      String.raw`filter INPUT -m hbh --hbh-opts 0x5:0`,
    ],
  },
  ipcomp: {
    ip: [
      String.raw`filter INPUT -p ipcomp -m ipcomp --ipcompspi 18`,
      String.raw`filter INPUT -p ipcomp -m ipcomp ! --ipcompspi 5:9 --compres`,
      String.raw`filter INPUT -p ipcomp -m ipcomp`,
      String.raw`filter INPUT -p 108 -m ipcomp --ipcompspi 0:4294967295`,
    ],
    ip6: [
      String.raw`filter INPUT -p ipcomp -m ipcomp --ipcompspi 7`,
    ],
  },
  ipv6header: {
    ip6: [
      String.raw`filter INPUT -m ipv6header --header hop-by-hop`,
      String.raw`filter INPUT -m ipv6header --header hop --soft`,
      String.raw`filter INPUT -m ipv6header ! --header dst,route,frag,auth,esp,none,prot`,
      String.raw`filter INPUT -m ipv6header --header ipv6-opts,ipv6-route,ipv6-frag,ah,ipv6-nonxt,protocol --soft`,
      String.raw`filter INPUT -m ipv6header --header 0,60,43,44,51,50,59,255`,
    ],
  },
  mh: {
    ip6: [
      String.raw`filter INPUT -p mobility-header -m mh`,
      String.raw`filter INPUT -p ipv6-mh -m mh --mh-type 1`,
      String.raw`filter INPUT -p 135 -m mh ! --mh-type cot`,
      String.raw`filter INPUT -p mh -m mh --mh-type binding-update:123`,
      String.raw`filter INPUT -p mh -m mh --mh-type :7`,
    ],
  },
  osf: {
    ip: [
      String.raw`filter INPUT -p tcp -m osf --genre Linux`,
      String.raw`filter INPUT -p tcp -m osf ! --genre Linux:2.6 --ttl 2 --log 1`,
      String.raw`filter INPUT -p tcp -m osf --genre Windows --ttl 0 --log 0`,
    ],
  },
  policy: {
    ip: [
      String.raw`filter INPUT -m policy --dir in --pol none`,
      String.raw`filter INPUT -m policy --dir in --pol ipsec`,
      String.raw`filter INPUT -m policy --dir in`,
      String.raw`filter INPUT -m policy --dir in --pol ipsec --proto ipcomp`,
      String.raw`filter INPUT -m policy --dir in --pol ipsec --strict --reqid 1 --spi 0x1 --proto ipcomp`,
      String.raw`filter INPUT -m policy --dir in --pol ipsec --strict --reqid 1 --spi 0x1 --proto esp --mode tunnel --tunnel-dst 10.0.0.0/8 --tunnel-src 10.0.0.0/8 --next --reqid 2`,
      String.raw`filter INPUT -m policy --dir in --pol ipsec ! --reqid 7 ! --spi 255 ! --proto 51 ! --mode transport ! --tunnel-dst 10.1.2.3 ! --tunnel-src 10.1.2.3/255.255.128.0`,
      String.raw`filter INPUT -m policy --dir in --pol ipsec --strict --reqid 1 --next --spi 2 --next --mode tunnel --next ! --proto ah`,
      String.raw`filter FORWARD -m policy --dir out --pol ipsec --mode tunnel --tunnel-src 10.1.2.3/8`,
    ],
    ip6: [
      String.raw`filter INPUT -m policy --dir in --pol ipsec --mode tunnel --tunnel-src fd00::1 --tunnel-dst fd00::1/64`,
      String.raw`filter INPUT -m policy --dir in --pol ipsec --strict --mode tunnel ! --tunnel-src fd00::/ffff:ffff:: --next --proto esp`,
    ],
  },
  rateest: {
    ip: [
      String.raw`filter INPUT -j RATEEST --rateest-name RE1 --rateest-interval 250ms --rateest-ewmalog 500ms`,
      String.raw`filter INPUT -j RATEEST --rateest-name RE2 --rateest-interval 250ms --rateest-ewmalog 500ms`,
      String.raw`filter INPUT -m rateest --rateest RE1 --rateest-lt --rateest-bps 8bit`,
      String.raw`filter INPUT -m rateest --rateest1 RE1 --rateest-eq --rateest-pps 5`,
      String.raw`filter INPUT -m rateest --rateest RE1 --rateest-gt --rateest-bps2 5kbit`,
      String.raw`filter INPUT -m rateest --rateest RE1 ! --rateest-gt --rateest-bps 2500000000`,
      String.raw`filter INPUT -m rateest --rateest RE1 ! --rateest-eq --rateest-bps 1.5MBps`,
      String.raw`filter INPUT -m rateest --rateest RE1 --rateest-lt --rateest-bps 1000504`,
      String.raw`filter INPUT -m rateest --rateest-delta --rateest RE1 --rateest-bps1 8bit --rateest-lt --rateest-bps2 16bit`,
      String.raw`filter INPUT -m rateest --rateest-delta --rateest RE1 --rateest-pps1 8 ! --rateest-gt --rateest-pps2 9`,
      String.raw`filter INPUT -m rateest --rateest1 RE1 --rateest-lt --rateest-bps --rateest2 RE2`,
      String.raw`filter INPUT -m rateest --rateest1 RE1 ! --rateest-gt --rateest-pps --rateest2 RE2`,
      String.raw`filter INPUT -m rateest --rateest1 RE1 --rateest-eq --rateest-pps --rateest-bps --rateest2 RE2 -j ACCEPT`,
      String.raw`filter INPUT -m rateest --rateest-delta --rateest1 RE1 --rateest-pps1 0 --rateest-lt --rateest-pps2 42 --rateest2 RE2`,
      String.raw`filter INPUT -m rateest --rateest-delta --rateest1 RE1 --rateest-bps1 1mbit --rateest-eq --rateest-bps2 2Kibit --rateest2 RE2`,
    ],
  },
  rt: {
    ip6: [
      String.raw`filter INPUT -m rt`,
      String.raw`filter INPUT -m rt --rt-type 0 --rt-segsleft 1:23 --rt-len 42 --rt-0-res`,
      String.raw`filter INPUT -m rt --rt-type 3811711696`,
      String.raw`filter INPUT -m rt ! --rt-type 1 ! --rt-segsleft 12 ! --rt-len 42`,
      String.raw`filter INPUT -m rt --rt-type 0 --rt-0-addrs fd00::1,fd00:0::2 --rt-0-not-strict`,
      String.raw`filter INPUT -m rt --rt-type 0 --rt-0-addrs ::1,::2,::3,::4,::5,::6,::7,::8,::9,::a,::b,::c,::d,::e,::f,::10`,
    ],
  },
  sctp: {
    ip: [
      String.raw`filter INPUT -p sctp -m sctp --chunk-types any DATA,INIT`,
      String.raw`filter INPUT -p sctp -m sctp ! --chunk-types all DATA:Be,ABORT:T,shutdown_complete:t --sport 5`,
      String.raw`filter INPUT -p sctp --chunk-types only ALL`,
      String.raw`filter INPUT -p sctp -m sctp --chunk-types any NONE ! --dport 5:9`,
      String.raw`filter INPUT -p sctp -m sctp --chunk-types any I_DATA,RE_CONFIG,PAD,ASCONF,ASCONF_ACK,FORWARD_TSN,I_FORWARD_TSN`,
      String.raw`filter INPUT -p sctp -m sctp --chunk-types all INIT_ACK,SACK,HEARTBEAT,HEARTBEAT_ACK,SHUTDOWN,SHUTDOWN_ACK,ERROR,COOKIE_ECHO,COOKIE_ACK,ECN_ECNE,ECN_CWR`,
      String.raw`filter INPUT -p sctp -m sctp --chunk-types all DATA:iUbE,data:b`,
    ],
  },
  srh: {
    ip6: [
      String.raw`filter INPUT -m srh`,
      String.raw`filter INPUT -m srh --srh-next-hdr 17`,
      String.raw`filter INPUT -m srh --srh-hdr-len-eq 8 ! --srh-segs-left-gt 1 --srh-last-entry-lt 4`,
      String.raw`filter INPUT -m srh ! --srh-hdr-len-gt 8 --srh-segs-left-lt 1 ! --srh-last-entry-eq 4`,
      String.raw`filter INPUT -m srh --srh-hdr-len-lt 8 --srh-segs-left-eq 1 --srh-last-entry-gt 4`,
      String.raw`filter INPUT -m srh --srh-hdr-len-lt 8 ! --srh-hdr-len-eq 8`,
      String.raw`filter INPUT -m srh ! --srh-next-hdr 17 ! --srh-tag 65535`,
      String.raw`filter INPUT -m srh --srh-psid a::/64 --srh-nsid b::1:2/128 --srh-lsid c::/0`,
      String.raw`filter INPUT -m srh ! --srh-psid a::1/64 ! --srh-nsid b:: ! --srh-lsid c::/ffff::`,
    ],
  },
  time: {
    ip: [
      String.raw`filter INPUT -m time --timestart 9:30`,
      String.raw`filter INPUT -m time --timestop 17:00:30 --kerneltz`,
      String.raw`filter INPUT -m time --timestart 22:00 --timestop 6:00 --contiguous`,
      String.raw`filter INPUT -m time --weekdays Mon,Fri,Sun --monthdays 1,2,3,11,12,13,21,22,23,31`,
      String.raw`filter INPUT -m time --weekdays 1,Tue,Fr`,
      String.raw`filter INPUT -m time ! --weekdays Sat,Sun ! --monthdays 1,31`,
      String.raw`filter INPUT -m time --datestart 2001-02-03T04:05:06 --datestop 2037-09-08T09:06:05`,
      String.raw`filter INPUT -m time --datestart 2026 --datestop 2026-11 --localtz`,
      String.raw`filter INPUT -m time --datestart 2026-11-5 --datestop 2026-11-27T18`,
      String.raw`filter INPUT -m time --datestop 2026-11-27T18:30 --utc`,
      String.raw`filter INPUT -m time --timestart 01:02:03 --timestop 04:05:06 --monthdays 1,2,3,4,5 --weekdays Mon,Fri,Sun --datestart 2001-02-03T04:05:06 --datestop 2012-09-08T09:06:05 --kerneltz`,
      String.raw`filter INPUT -m time`,
    ],
    ip6: [
      String.raw`filter INPUT -m time --timestart 9:30`,
    ],
  },
  u32: {
    ip: [
      String.raw`filter INPUT -m u32 --u32 "0x0=0x0&&0x0=0x1"`,
      String.raw`filter INPUT -m u32 ! --u32 "6&0xFF=1"`,
      String.raw`filter INPUT -m u32 --u32 " 0 >> 22 & 0x3C @ 12 >> 26 & 0x3C @ 0 >> 24 = 0x52:0x60 , 7 && 4<<3=0"`,
      String.raw`filter INPUT -m u32 --u32 "1&2&3&4&5&6&7&8&9&10=1,2,3,4,5,6,7,8,9,10&&1=1&&1=1&&1=1&&1=1&&1=1&&1=1&&1=1&&1=1&&1=4294967295"`,
      String.raw`filter INPUT -m u32 --u32 "010=017"`,
    ],
    ip6: [
      String.raw`filter INPUT -m u32 --u32 "4=0x1"`,
    ],
  },
}
