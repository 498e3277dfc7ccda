throw new Error('the module is broken on purpose');
