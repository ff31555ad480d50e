export async function ldapCheck(_config: string): Promise<never> {
  throw new Error('todo');
}
