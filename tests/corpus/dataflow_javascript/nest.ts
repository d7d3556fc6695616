import { Body, Controller, Get, Injectable, Param, ParseIntPipe, Post, Query, Req, Res } from "@nestjs/common";
import { Request, Response } from "express";
import { DataSource, Repository } from "typeorm";
import { exec } from "child_process";

@Injectable()
export class UserService {
  private readonly prefix = "SELECT * FROM users";

  constructor(private readonly source: DataSource, private users: Repository<User>) {}

  async find(name: string) {
    return this.source.query(`${this.prefix} WHERE name = '${name}'`); // bad: sql
  }

  async findSafely(name: string) {
    return this.source.query(`${this.prefix} WHERE name = $1`, [name]);
  }

  async byId(id: number) {
    return this.source.query(`${this.prefix} WHERE id = ${id}`);
  }
}

@Controller("users")
export class UserController {
  constructor(private readonly service: UserService) {}

  @Get()
  async list(@Query("name") name: string) {
    exec(`finger ${name}`); // bad: command
    return this.service.findSafely(name);
  }

  @Get(":id")
  async one(@Param("id", ParseIntPipe) id: number) {
    return exec(`finger ${id}`);
  }

  @Post()
  async create(@Body() dto: CreateUser, @Req() req: Request, @Res() res: Response) {
    new UserService(null, null).find(dto.name);
    res.redirect(req.query.next as string); // bad: redirect
    return {};
  }
}
