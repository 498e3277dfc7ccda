import { describe, expect, test } from 'vitest';
import { isAllowedHost } from '#core/resources/allowed-hosts.ts';
import { parseConnection } from '#core/resources/connection.ts';
import { parseRedisAddress } from '#core/resources/redis-address.ts';

const url = 'redis://user:s3cret@redis.prod:6380/2';

describe('the URL of a Redis', () => {
  const plain = { tls: false, host: 'redis', port: 6379, db: 0 };
  test.each([
    { why: 'the least there is', text: 'redis://redis', want: plain },
    {
      why: 'everything',
      text: url,
      want: { tls: false, host: 'redis.prod', port: 6380, db: 2, username: 'user', password: 's3cret' },
    },
    { why: 'a password alone', text: 'redis://:p@redis/', want: { ...plain, password: 'p' } },
    { why: 'TLS', text: 'rediss://redis:6379/0', want: { ...plain, tls: true } },
    { why: 'special characters as %xx', text: 'redis://:a%40b%2Fc%25@redis', want: { ...plain, password: 'a@b/c%' } },
    { why: 'an address of IPv6', text: 'redis://[2001:db8::1]:6379', want: { ...plain, host: '2001:db8::1' } },
    { why: 'the line feed that echo leaves', text: 'redis://redis\n', want: plain },
    { why: 'capitals in the host', text: 'redis://Redis', want: plain },
  ])('$why', ({ text, want }) => {
    expect(parseRedisAddress(text)).toEqual({ ok: true, value: want });
  });

  test.each([
    { text: 'redis.prod:6379', says: 'is not a URL; write redis://host:6379/0' },
    { text: 'http://redis', says: 'has the scheme http; write redis://, or rediss:// for TLS' },
    { text: 'amqp://rabbit', says: 'RabbitMQ is not supported yet' },
    { text: 'sentinel://a:26379;sentinel://b:26379', says: 'Redis Sentinel is not supported yet' },
    { text: 'redis+socket:///tmp/redis.sock', says: 'a socket file is not reachable from pods' },
    { text: 'redis:///0', says: 'names no host' },
    { text: 'redis://a,b,c:6379/x', says: 'has a path that is no database number from 0 to 1023' },
    { text: 'redis://redis/1024', says: 'has a path that is no database number' },
    { text: 'redis://redis/0/1', says: 'has a path that is no database number' },
    { text: 'rediss://redis/0?ssl_cert_reqs=none', says: 'has options behind ? or #' },
    { text: 'redis://redis#x', says: 'has options behind ? or #' },
    { text: 'redis://:100%@redis', says: 'write a percent sign as %25' },
    { text: 'redis://:a/b@redis', says: 'is not a URL' },
    { text: 'redis://redis:0', says: 'names port 0' },
    { text: 'redis://redis:70000', says: 'is not a URL' },
  ])('refuses $text', ({ text, says }) => {
    const parsed = parseRedisAddress(text);
    expect(parsed.ok ? 'taken' : parsed.error).toContain(says);
  });
});

describe('the data of a connection Secret', () => {
  const address = { tls: false, host: 'redis.prod', port: 6380, db: 2, username: 'user', password: 's3cret' };

  test('two URLs are enough', () => {
    expect(parseConnection({ broker: url, results: url })).toEqual({
      ok: true,
      value: {
        broker: address,
        results: address,
        operatorBroker: address,
        operatorResults: address,
        keyPrefix: '',
        resultKeyPrefix: '',
      },
    });
  });

  test('the operator may have an account of its own, and keys a prefix', () => {
    const ca = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
    const parsed = parseConnection({
      broker: url,
      results: url,
      operatorResults: 'redis://:strong@r',
      keyPrefix: 'a:',
      resultKeyPrefix: 'b:',
      'ca.crt': ca,
    });
    expect(parsed).toMatchObject({
      ok: true,
      value: {
        operatorBroker: address,
        operatorResults: { host: 'r', password: 'strong' },
        keyPrefix: 'a:',
        resultKeyPrefix: 'b:',
        ca,
      },
    });
  });

  test.each([
    { why: 'no broker', data: { results: url }, says: 'key broker is missing' },
    { why: 'no results', data: { broker: url }, says: 'key results is missing; repeat the URL of broker' },
    {
      why: 'a misspelt key',
      data: { broker: url, results: url, keyprefix: 'a' },
      says: 'key keyprefix is not a key of a connection; known are broker, results',
    },
    { why: 'a bad URL', data: { broker: url, results: 'redis://r?x=1' }, says: 'key results has options' },
    {
      why: 'a prefix with a line feed',
      data: { broker: url, results: url, keyPrefix: 'a\n' },
      says: 'key keyPrefix has a blank, a line feed',
    },
    {
      why: 'a prefix that is a pattern',
      data: { broker: url, results: url, resultKeyPrefix: 'a*' },
      says: 'key resultKeyPrefix has a blank',
    },
    {
      why: 'a certificate that is none',
      data: { broker: url, results: url, 'ca.crt': 'x' },
      says: 'key ca.crt is no certificate',
    },
    {
      why: 'a host that is not allowed',
      data: { broker: url, results: 'redis://other' },
      says: 'key results names the host other, which this operator may not reach',
    },
  ])('refuses $why and tells no secret', ({ data, says }) => {
    const parsed = parseConnection(data, { allowedHosts: ['redis.prod', 'r'] });
    expect(parsed.ok ? 'taken' : parsed.error.message).toContain(says);
    expect(JSON.stringify(parsed)).not.toContain('s3cret');
  });
});

describe('allowed hosts', () => {
  test.each([
    { pattern: 'redis.prod', host: 'redis.prod', allowed: true },
    { pattern: 'redis.prod', host: 'xredis.prod', allowed: false },
    { pattern: 'redis.prod:6379', host: 'redis.prod', allowed: true },
    { pattern: 'redis.prod:6380', host: 'redis.prod', allowed: false },
    { pattern: '*.prod', host: 'redis.prod', allowed: true },
    { pattern: '*.prod', host: 'prod', allowed: false },
    { pattern: '*.prod', host: 'evilprod', allowed: false },
    { pattern: '*', host: 'redis.prod', allowed: true },
    { pattern: '*', host: '10.0.0.1', allowed: true },
    { pattern: '*', host: 'localhost', allowed: false },
    { pattern: '*', host: '127.0.0.1', allowed: false },
    { pattern: '*', host: '169.254.169.254', allowed: false },
    { pattern: '*', host: '::1', allowed: false },
    { pattern: '*', host: 'fe80::1', allowed: false },
    { pattern: '*', host: '::ffff:7f00:1', allowed: false },
    { pattern: '127.0.0.1', host: '127.0.0.1', allowed: true },
    { pattern: '[2001:db8::1]:6379', host: '2001:db8::1', allowed: true },
  ])('$pattern and $host: $allowed', ({ pattern, host, allowed }) => {
    expect(isAllowedHost({ host, port: 6379 }, [pattern])).toBe(allowed);
  });

  test('an empty list allows nothing', () => {
    expect(isAllowedHost({ host: 'redis', port: 6379 }, [])).toBe(false);
  });

  test('other spellings of loopback do not get past *', () => {
    for (const host of [
      '2130706433',
      '0x7f.1',
      '127.1',
      '0',
      '0177.0.0.1',
      'localhost.',
      'LOCALHOST',
      '[::ffff:127.0.0.1]',
      '[0:0:0:0:0:0:0:1]',
    ]) {
      const parsed = parseConnection(
        { broker: `redis://${host}`, results: `redis://${host}` },
        { allowedHosts: ['*'] },
      );
      expect(parsed.ok, host).toBe(false);
    }
  });
});
